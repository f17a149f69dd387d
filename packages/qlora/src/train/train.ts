// The training loop, to be read from top to bottom: batches, forward, loss, gradients, clip, schedule, update. It prints and saves nothing;
// it yields after each step, and what happens then is the caller's. Stop asking, and it has stopped.
import {
  accumulate,
  clipCoefficient,
  concat,
  fold,
  grad,
  key,
  type PagerCounters,
  reshape,
  type Schedule,
  scale,
  scheduleFactor,
  scope,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
} from "@qlora-js/core";
import { type Batch, makeBatch } from "../data/batch.ts";
import type { DataOrder } from "../data/order.ts";
import type { Example } from "../data/tokenize.ts";
import type { LanguageModel } from "../models/language-model.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import type { PagedAdamW } from "../optimizer/paged-adamw.ts";
import { DivergedError } from "./diverged-error.ts";
import { tokenLosses } from "./token-losses.ts";

/** Names the stream of random numbers for dropout, apart from those of data order and initial weights under the same seed. */
const DROPOUT_STREAM = 0x64726f70; // "drop"

/** What the loop is told besides model, data and optimizer. */
export interface TrainOptions {
  /** Steps of the whole run; with steps already done it goes on from there. */
  readonly steps: number;
  readonly stepsDone?: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly warmupSteps: number;
  /** The largest norm that gradients may have, all together; Infinity never clips. */
  readonly clip: number;
  readonly seed: number;
  /** False if no layer drops anything, so that no masks are made. */
  readonly dropout: boolean;
  /** What each layer computes again in the backward pass. */
  readonly recompute: readonly Recomputation[];
}

/** What one step did. */
export interface TrainStep {
  /** Counts from 1. */
  readonly step: number;
  /** Mean over the supervised tokens of the whole step, before its update. */
  readonly loss: number;
  /** L2 norm of all gradients together, before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly supervisedTokens: number;
  /** Tokens of the step without padding. */
  readonly tokens: number;
  readonly seconds: number;
  readonly pager: PagerCounters;
}

/**
 * Trains the parameters on examples.
 * @param parameters what the loss is differentiated by, in the optimizer's order
 * @throws DivergedError if loss or gradients are not finite; the parameters are then as after the step before
 */
export async function* train(
  model: LanguageModel,
  parameters: readonly Tensor[],
  optimizer: PagedAdamW,
  examples: readonly Example[],
  order: DataOrder,
  options: TrainOptions,
): AsyncGenerator<TrainStep, void, void> {
  const { backend } = model;
  for (let done = options.stepsDone ?? 0; done < options.steps; done++) {
    const start = performance.now();
    const batches = order.microBatches(done).map((rows) => makeBatch(rows.map((row) => examples[row]!)));
    // one mean over all micro-batches: each token counts the same, however rows were grouped
    const supervisedTokens = batches.reduce((n, b) => n + b.supervised, 0);
    const learningRate =
      options.learningRate * scheduleFactor(options.schedule, done, { warmupSteps: options.warmupSteps, totalSteps: options.steps });
    const dropoutStep = options.dropout ? fold(fold(key(options.seed), DROPOUT_STREAM), done) : null;

    let total: { loss: Tensor; grads: Tensor[] } | null = null;
    for (const [i, batch] of batches.entries()) {
      if (batch.supervised === 0) continue;
      const part = scope(backend, () => {
        const pass = { dropoutKey: dropoutStep && fold(dropoutStep, i), recompute: options.recompute };
        const loss = scale(sum(tokenLosses(model, batch, pass)), 1 / supervisedTokens);
        return { loss: loss.detach(), grads: grad(loss, parameters) };
      });
      total = total ? addTo(total, part) : part;
    }
    if (!total) throw new DivergedError(done + 1, Number.NaN, Number.NaN, "no token of this step is supervised");

    const { loss, gradNorm } = await lossAndNorm(total.loss, total.grads);
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
      for (const t of [total.loss, ...total.grads]) t.dispose();
      throw new DivergedError(done + 1, loss, gradNorm, "the loss or a gradient is not finite");
    }
    const gradScale = tensor(backend, [clipCoefficient(gradNorm, options.clip)], []);
    await optimizer.step(total.grads, gradScale, learningRate);
    await backend.flush();
    for (const t of [total.loss, gradScale, ...total.grads]) t.dispose();

    const seconds = (performance.now() - start) / 1000;
    yield {
      step: done + 1,
      loss,
      gradNorm,
      learningRate,
      supervisedTokens,
      tokens: countTokens(batches),
      seconds,
      pager: optimizer.pager.counters,
    };
  }
}

type Part = { loss: Tensor; grads: Tensor[] };

function addTo(total: Part, part: Part): Part {
  accumulate(total.loss, part.loss);
  part.loss.dispose();
  part.grads.forEach((g, i) => {
    accumulate(total.grads[i]!, g);
    g.dispose();
  });
  return total;
}

/** Both numbers in one read. */
async function lossAndNorm(loss: Tensor, grads: readonly Tensor[]): Promise<{ loss: number; gradNorm: number }> {
  const both = scope(loss.backend, () => {
    // each in a scope of its own: the squares of all gradients together would be as large as these
    const squares = concat(grads.map((g) => scope(g.backend, () => reshape(sum(square(g)), [1]))));
    return concat([reshape(loss, [1]), reshape(sqrt(sum(squares)), [1])]);
  });
  const [value, norm] = await both.read();
  both.dispose();
  return { loss: value!, gradNorm: norm! };
}

const countTokens = (batches: readonly Batch[]): number => batches.reduce((n, { lengths }) => n + lengths.reduce((a, b) => a + b, 0), 0);
