// A run under way: the trainer's steps, and between them what a run does besides: log, evaluate, show samples, save, stop when asked. Nothing of it changes
// what is computed, so a run that was stopped anywhere goes on to the same bits.
import type { Pager } from "@qlora-js/core";
import { DataOrder } from "../../data/order.ts";
import type { Example } from "../../data/tokenize.ts";
import { NotFiniteError } from "../../error.ts";
import type { LoraAdapter } from "../../lora/lora-adapter.ts";
import type { Recomputation } from "../../nn/forward-pass.ts";
import type { PagedAdamW } from "../../optimizer/paged-adamw.ts";
import { saveCheckpoint, verifyCheckpoint } from "../../run/checkpoint.ts";
import type { RunOptions } from "../../run/manifest.ts";
import type { MetricsLog } from "../../run/metrics-log.ts";
import type { CardFacts } from "../../run/model-card.ts";
import { DivergedError } from "../../train/diverged-error.ts";
import { type Evaluation, evaluate } from "../../train/evaluate.ts";
import { type TrainStep, train } from "../../train/train.ts";
import { answer } from "../answer.ts";
import { CountedWork } from "../counted-work.ts";
import { nextTurn } from "../next-turn.ts";
import type { Session } from "../open-session.ts";
import type { Output } from "../output.ts";
import { count, oneLine } from "../wording.ts";
import { Progress } from "./progress.ts";
import type { SamplePrompt } from "./sample-prompts.ts";
import type { StopRequest } from "./stop-request.ts";

export interface RunParts {
  /** The run's folder. */
  readonly run: string;
  readonly session: Session;
  readonly adapter: LoraAdapter;
  readonly optimizer: PagedAdamW;
  readonly pager: Pager;
  readonly train: readonly Example[];
  readonly valid: readonly Example[] | undefined;
  readonly prompts: readonly SamplePrompt[];
  readonly options: RunOptions;
  readonly recompute: readonly Recomputation[];
  readonly log: MetricsLog;
  readonly output: Output;
  readonly stop: StopRequest;
  /** The adapter's model card after a step. */
  readonly card: (now: Pick<CardFacts, "step" | "trainLoss" | "validLoss">) => string;
}

/** How a run ended. */
export interface RunEnd {
  readonly step: number;
  readonly interrupted: boolean;
  /** The last evaluation, if there was one. */
  readonly evaluation: Evaluation | undefined;
}

const SAMPLE_TOKENS = 48;
/** Thrown through an evaluation that is not to be finished. */
const STOPPED = new Error("stopped");

export class TrainingRun {
  #saved: number;
  #verified = false;
  #evaluation: Evaluation | undefined;
  #trainLoss: number | undefined;

  constructor(
    readonly parts: RunParts,
    /** Steps done before. */
    readonly from: number,
  ) {
    this.#saved = from;
  }

  /**
   * Trains to the last step, or until it is asked to stop.
   * @throws DivergedError after saving the last good state, StorageError
   */
  async go(): Promise<RunEnd> {
    const { stop, options } = this.parts;
    let step = this.from;
    if (this.#evaluationDue(step) && !this.#wasEvaluated(step)) await this.#evaluate(step);
    try {
      if (!stop.requested) {
        for await (const done of this.#steps()) {
          step = done.step;
          await this.#report(done);
          if (!stop.requested && this.#evaluationDue(step)) await this.#evaluate(step);
          if (step % options.saveEvery === 0) await this.#save(step);
          await nextTurn();
          if (stop.requested) break;
        }
      }
      await this.#save(step);
    } catch (error) {
      if (error instanceof DivergedError) await this.#saveIfSound(step);
      throw error;
    }
    return { step, interrupted: stop.requested && step < options.steps, evaluation: this.#evaluation };
  }

  #steps(): AsyncGenerator<TrainStep, void, void> {
    const { session, adapter, optimizer, train: examples, options, recompute } = this.parts;
    const { batch, accumulate, order, seed, steps, lr, schedule, warmup, clip } = options;
    const progress = new Progress(this.parts.output, steps, this.from);
    this.#progress = progress;
    return train(
      session.model,
      [...adapter.parameters().values()],
      optimizer,
      examples,
      new DataOrder(examples.length, { order, batch, accumulate, seed }),
      {
        steps,
        stepsDone: this.from,
        learningRate: lr,
        schedule,
        warmupSteps: warmup,
        clip: clip === 0 ? Number.POSITIVE_INFINITY : clip,
        seed,
        dropout: adapter.settings.dropout > 0,
        recompute,
      },
    );
  }

  #progress: Progress | undefined;

  async #report(done: TrainStep): Promise<void> {
    const { output, log } = this.parts;
    this.#trainLoss = done.loss;
    const { step, loss, gradNorm, learningRate, supervisedTokens, tokens, seconds, pager } = done;
    const residentBytes = process.memoryUsage.rss();
    const weights = this.parts.session.weights ? { weightsPager: this.parts.session.weights.counters } : {};
    const metric = {
      step,
      loss,
      gradNorm,
      learningRate,
      supervisedTokens,
      tokensPerSecond: tokens / seconds,
      residentBytes,
      pager,
      ...weights,
    };
    await log.append({ event: "step", ...metric });
    output.event("step", metric);
    this.#progress?.step(done, residentBytes, this.parts.session.weights?.counters);
  }

  #evaluationDue(step: number): boolean {
    const { evalEvery, steps } = this.parts.options;
    return step % evalEvery === 0 || step === steps;
  }

  #wasEvaluated(step: number): boolean {
    return this.parts.log.before.some((metric) => metric.step === step && (metric.event === "eval" || metric.event === "sample"));
  }

  async #evaluate(step: number): Promise<void> {
    const { valid, log, output } = this.parts;
    if (valid) {
      const result = await this.#validLoss(valid);
      if (!result) return;
      this.#evaluation = result;
      await log.append({ event: "eval", step, ...result });
      output.event("eval", { step, ...result });
      const note = step === 0 ? output.colors.dim("   ← before any update") : "";
      output.line(
        `  step ${String(step).padEnd(4)} valid loss ${result.loss.toFixed(4)} (perplexity ${result.perplexity.toFixed(2)})${note}`,
      );
    }
    for (const prompt of this.parts.prompts) if (!this.parts.stop.requested) await this.#sample(step, prompt);
  }

  /** Undefined if it was asked to stop before the end; a resumed run then evaluates this step again. */
  async #validLoss(valid: readonly Example[]): Promise<Evaluation | undefined> {
    const { session, options, output, stop } = this.parts;
    const work = new CountedWork(output, "valid", "rows");
    const onProgress = async (rows: number): Promise<void> => {
      work.show(rows, valid.length);
      await nextTurn();
      if (stop.requested && rows < valid.length) throw STOPPED;
    };
    try {
      return await evaluate(session.model, valid, options.batch, onProgress);
    } catch (error) {
      if (error === STOPPED) return undefined;
      throw error;
    }
  }

  async #sample(step: number, { prompt, ids }: SamplePrompt): Promise<void> {
    const { session, log, output, stop } = this.parts;
    const { tokenizer, stopIds } = session.folder;
    const greedy = { temperature: 0, topK: 0, topP: 1, seed: 0, maxNewTokens: SAMPLE_TOKENS, stopIds };
    const said = await answer(session.model, ids, { ...greedy, tokenizer, stopped: () => stop.requested }).catch(nothingToSay);
    if (stop.requested || !said) return;
    await log.append({ event: "sample", step, prompt, text: said.text });
    output.event("sample", { step, prompt, ...said });
    const begin = `  sample @${count(step)}  `;
    const room = Math.max(48, output.columns - begin.length - "“” → “”".length);
    const question = oneLine(prompt, Math.floor(room / 2));
    output.line(`${begin}“${question}” → “${oneLine(said.text.trim(), room - question.length)}”`);
  }

  async #save(step: number): Promise<void> {
    if (step === this.#saved) return;
    const { run, log, output } = this.parts;
    output.status("  saving …");
    await log.flush();
    const card = this.parts.card({ step, trainLoss: this.#trainLoss, validLoss: this.#lastValidLoss() });
    const checkpoint = await saveCheckpoint(run, step, { ...this.parts, card });
    if (!this.#verified) await verifyCheckpoint(checkpoint, this.parts);
    this.#verified = true;
    this.#saved = step;
    output.clearStatus();
    output.event("save", { step, path: checkpoint.folder });
  }

  /** Of this process, or of those before it. */
  #lastValidLoss(): number | undefined {
    const before = this.parts.log.before.findLast(({ event }) => event === "eval")?.loss;
    return this.#evaluation?.loss ?? (typeof before === "number" ? before : undefined);
  }

  /** After a step that failed: the state before it is worth keeping if its numbers are numbers. */
  async #saveIfSound(step: number): Promise<void> {
    for (const parameter of this.parts.adapter.parameters().values()) {
      for (const value of await parameter.read()) if (!Number.isFinite(value)) return;
    }
    await this.#save(step);
  }
}

/** A model that predicts NaN has no answer; the next step stops the run, and says what to do. */
function nothingToSay(error: unknown): undefined {
  if (!(error instanceof NotFiniteError)) throw error;
}
