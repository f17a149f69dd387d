// What 4-bit formats cost a model: the same text through the model as its file has it and through each format, position by position (QLoRA §3, table 2, on one's
// own model and text). All models share embeddings, norms and head; only linear weights differ.
import {
  argmax,
  exp,
  gather,
  logSoftmax,
  mul,
  neg,
  noGrad,
  type QFormat,
  reshape,
  scope,
  slice,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@qlora-js/core";
import type { LanguageModel } from "../models/language-model.ts";
import { logits } from "../models/logits.ts";
import type { ComparedModel } from "./compared-models.ts";
import { type MeanWithInterval, pairedMean } from "./paired-mean.ts";

/** Rows of logits at one time: as many as take this many numbers. */
const MOST_LOGITS = 4 << 20;

export interface FormatComparison {
  readonly name: string;
  readonly format: QFormat;
  /** Of linear weights, scales included. */
  readonly bitsPerParameter: number;
  /** e^(mean negative log-likelihood). */
  readonly perplexity: number;
  /** Nats a token above the original's negative log-likelihood, with a 95 % interval from windows of text. */
  readonly lossAbove: MeanWithInterval;
  /** Kullback–Leibler divergence of the format's predictions from the original's, nats a token. */
  readonly divergence: MeanWithInterval;
  /** Share of positions with the same most likely token. */
  readonly agreement: number;
  /** Negative log-likelihood of each window of text, nats a token; for comparing formats in pairs. */
  readonly windowLosses: readonly number[];
}

export interface Comparison {
  /** Of the original. */
  readonly perplexity: number;
  readonly tokens: number;
  readonly windows: number;
  readonly formats: readonly FormatComparison[];
}

class Tally {
  readonly losses: number[] = [];
  readonly divergences: number[] = [];
  agreeing = 0;
}

/**
 * Reads windows of ids through the original and the quantized models.
 * @param onProgress called with windows done
 */
export async function compareFormats(
  original: LanguageModel,
  quantized: readonly ComparedModel[],
  windows: readonly Int32Array[],
  onProgress?: (done: number) => void | Promise<void>,
): Promise<Comparison> {
  const base: number[] = [];
  const tallies = quantized.map(() => new Tally());
  for (const [w, ids] of windows.entries()) {
    const scores = await windowScores(
      original,
      quantized.map(({ model }) => model),
      ids,
    );
    base.push(scores.loss);
    for (const [i, tally] of tallies.entries()) {
      const { loss, divergence, agreeing } = scores.formats[i]!;
      tally.losses.push(loss);
      tally.divergences.push(divergence);
      tally.agreeing += agreeing;
    }
    await onProgress?.(w + 1);
  }
  const tokens = windows.reduce((n, { length }) => n + length - 1, 0);
  const weights = windows.map(({ length }) => length - 1);
  return {
    perplexity: Math.exp(pairedMean(base, weights).mean),
    tokens,
    windows: windows.length,
    formats: quantized.map(({ name, format, bitsPerParameter }, i) => {
      const { losses, divergences, agreeing } = tallies[i]!;
      return {
        name,
        format,
        bitsPerParameter,
        perplexity: Math.exp(pairedMean(losses, weights).mean),
        lossAbove: pairedMean(
          losses.map((loss, w) => loss - base[w]!),
          weights,
        ),
        divergence: pairedMean(divergences, weights),
        agreement: agreeing / tokens,
        windowLosses: losses,
      };
    }),
  };
}

interface WindowScores {
  readonly loss: number;
  readonly formats: readonly { readonly loss: number; readonly divergence: number; readonly agreeing: number }[];
}

/** Means over the positions of one window: hidden states whole, logits some rows at a time. */
async function windowScores(original: LanguageModel, quantized: readonly LanguageModel[], ids: Int32Array): Promise<WindowScores> {
  const { backend, config } = original;
  const positions = ids.length - 1;
  const hidden = [original, ...quantized].map((model) =>
    noGrad(backend, () => {
      const batch = { inputIds: ids, batch: 1, length: ids.length };
      return scope(backend, () => reshape(model.hidden(batch, { dropoutKey: null }), [ids.length, config.hiddenSize]));
    }),
  );
  const rows = Math.max(1, Math.floor(MOST_LOGITS / config.vocabSize));
  let loss = 0;
  const formats = quantized.map(() => ({ loss: 0, divergence: 0, agreeing: 0 }));
  for (let from = 0; from < positions; from += rows) {
    const until = Math.min(positions, from + rows);
    const targets = [...ids.subarray(from + 1, until + 1)];
    const first = await chunkScores(original, hidden[0]!, from, targets);
    loss += total(first.losses);
    for (const [i, tally] of formats.entries()) {
      const { losses, divergences, best } = await chunkScores(original, hidden[i + 1]!, from, targets, first.logProbabilities);
      tally.loss += total(losses);
      tally.divergence += total(divergences);
      tally.agreeing += best.reduce((n, id, t) => n + Number(id === first.best[t]), 0);
    }
    first.logProbabilities.dispose();
  }
  for (const h of hidden) h.dispose();
  return {
    loss: loss / positions,
    formats: formats.map((f) => ({ loss: f.loss / positions, divergence: f.divergence / positions, agreeing: f.agreeing })),
  };
}

const total = (numbers: Iterable<number>): number => {
  let all = 0;
  for (const n of numbers) all += n;
  return all;
};

interface ChunkScores {
  readonly losses: Float32Array;
  readonly divergences: Float32Array;
  readonly best: readonly number[];
  /** [rows, vocabulary]; the caller's, where `reference` was not given. */
  readonly logProbabilities: Tensor;
}

/** Of rows `from` on: −ln p(target), Σ_v p₀(v)·(ln p₀(v) − ln p(v)) against reference predictions p₀, and the most likely token. */
async function chunkScores(
  model: LanguageModel,
  hidden: Tensor,
  from: number,
  targets: readonly number[],
  reference?: Tensor,
): Promise<ChunkScores> {
  const { backend } = model;
  const [logProbabilities, losses, best, divergences] = noGrad(backend, () =>
    scope(backend, () => {
      const scores = logits(model, slice(hidden, 0, from, from + targets.length));
      const logP = logSoftmax(scores);
      const picked = gather(logP, tensor(backend, targets, [targets.length], "i32"));
      const apart = reference ? sum(mul(exp(reference), sub(reference, logP)), { axis: -1 }) : tensor(backend, [], [0]);
      return [logP, neg(reshape(picked, [-1])), argmax(scores), apart] as const;
    }),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const result = { losses: await losses.read(), divergences: await divergences.read(), best: [...(await best.readInts())] };
  for (const t of [losses, best, divergences, ...(reference ? [logProbabilities] : [])]) t.dispose();
  return { ...result, logProbabilities };
}
