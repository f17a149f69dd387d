// What the demo says: lines for a person, events for a program.
import { relative } from "node:path";
import type { PagerCounters } from "@qlora-js/core";
import { modelTensors } from "../../config/model-tensors.ts";
import { showBytes } from "../../plan/byte-size.ts";
import { recomputeWords } from "../../plan/choose-recompute.ts";
import type { Forecast } from "../../plan/forecast.ts";
import type { AdapterRun, Method } from "../../plan/methods.ts";
import type { Evaluation } from "../../train/evaluate.ts";
import type { TrainStep } from "../../train/train.ts";
import type { Answer } from "../answer.ts";
import { measuredTable } from "../memory-table.ts";
import type { ModelFolder } from "../open-model.ts";
import type { Output } from "../output.ts";
import { shellWord, typedCommand } from "../typed-command.ts";
import { count, duration, percent, plural } from "../wording.ts";
import { lossCurve } from "./loss-curve.ts";
import { progressBar } from "./progress-bar.ts";
import { sideBySide, wrap } from "./side-by-side.ts";

/** What the model did at one time. */
export interface Sight {
  readonly when: "before" | "after";
  readonly evaluation: Evaluation;
  readonly prompts: readonly string[];
  readonly answers: readonly string[];
}

export interface MethodMemory {
  readonly method: Method;
  readonly forecast: Forecast;
  readonly measuredBytes: number;
}

export interface DemoBeginning {
  readonly folder: ModelFolder;
  readonly run: AdapterRun;
  /** Numbers that are trained. */
  readonly trained: number;
  /** Rows to learn from, and to measure with. */
  readonly learn: number;
  readonly check: number;
}

export interface DemoEnd {
  readonly before: Sight;
  readonly after: Sight;
  readonly steps: readonly TrainStep[];
  readonly memory: readonly MethodMemory[];
  readonly pager: PagerCounters;
  /** Bytes of all moments. */
  readonly stateBytes: number;
}

const TITLES: Readonly<Record<Method, string>> = { full16: "16-bit full", lora: "LoRA bf16", qlora: "QLoRA NF4" };

export class DemoReport {
  readonly #start = performance.now();
  #trainingSince = 0;

  constructor(
    readonly output: Output,
    readonly options: { readonly model: string; readonly data: string; readonly steps: number },
  ) {}

  begin({ folder, run, trained, learn, check }: DemoBeginning): void {
    const { output } = this;
    const { steps } = this.options;
    const parameters = modelTensors(folder.config).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
    output.line(output.colors.bold("  A language model learns to answer like a pirate, over frozen 4-bit weights."));
    output.line();
    output.facts("model", `${count(parameters)} parameters · ${folder.config.layers} layers · NF4 + double quantization`);
    const share = percent(trained / parameters);
    output.facts("adapter", `LoRA, rank ${run.adapter.rank} on every linear layer · ${count(trained)} parameters (${share})`);
    output.facts("data", `${count(learn)} rows to learn from, ${count(check)} others to measure with`);
    output.facts("plan", `${plural(steps, "step")} of ${run.batch} rows · paged AdamW · ${recomputeWords(run.recompute)}`);
    output.line();
    output.event("start", {
      parameters,
      trainedParameters: trained,
      steps,
      batch: run.batch,
      recompute: run.recompute,
      rows: learn,
      validRows: check,
    });
  }

  looking(when: Sight["when"], share: number): void {
    this.output.status(`  ${when.padEnd(9)} ${progressBar(share, this.output.colors)}  validation loss`);
  }

  evaluated(when: Sight["when"], evaluation: Evaluation): void {
    const { loss, perplexity } = evaluation;
    this.output.line(`  ${when.padEnd(9)} validation loss ${loss.toFixed(3)} · perplexity ${perplexity.toFixed(2)}`);
    this.output.event("eval", { when, ...evaluation });
  }

  answered(when: Sight["when"], prompt: string, answer: Answer, share: number): void {
    this.output.status(`  ${when.padEnd(9)} ${progressBar(share, this.output.colors)}  three questions`);
    this.output.event("generate", { when, prompt, ...answer });
  }

  step(done: TrainStep): void {
    const { step, loss, gradNorm, learningRate, supervisedTokens, tokens, seconds } = done;
    const { steps } = this.options;
    if (this.#trainingSince === 0) this.#trainingSince = performance.now() - seconds * 1000;
    const spent = (performance.now() - this.#trainingSince) / 1000;
    const tokensPerSecond = tokens / seconds;
    const eta = duration((spent / step) * (steps - step));
    const bar = progressBar(step / steps, this.output.colors);
    this.output.status(`  training  ${bar}  ${step}/${steps} · loss ${loss.toFixed(3)} · eta ${eta}`);
    if (step === steps) this.output.line(`  training  ${plural(steps, "step")} in ${duration(spent)} · loss ${loss.toFixed(3)}`);
    const residentBytes = process.memoryUsage.rss();
    this.output.event("step", { step, loss, gradNorm, learningRate, supervisedTokens, tokensPerSecond, residentBytes });
  }

  measuring(what: string): void {
    this.output.status(`  memory    one step of ${what} …`);
  }

  end(end: DemoEnd): void {
    const { before, after, memory, pager, stateBytes } = end;
    this.output.clearStatus();
    this.#tellLearning(end);
    this.#tellMemory(end);
    const seconds = (performance.now() - this.#start) / 1000;
    const next = this.#nextCommand();
    this.output.line();
    this.output.line(`  done in ${duration(seconds)}. Next, keep what is learnt:`);
    this.output.line(`  ${next}`);
    this.output.event("memory", { methods: Object.fromEntries(memory.map(({ method, ...rest }) => [method, rest])) });
    this.output.event("pager", { stateBytes, ...pager });
    this.output.event("done", { seconds, validLossBefore: before.evaluation.loss, validLossAfter: after.evaluation.loss, next });
  }

  #tellLearning({ before, after, steps }: DemoEnd): void {
    const { output } = this;
    const losses = steps.map(({ loss }) => loss);
    this.#heading("Loss");
    for (const line of lossCurve(losses, output)) output.line(line);
    this.#heading("Three questions it has not seen");
    const rows = before.prompts.map((prompt, i) => [prompt, before.answers[i]!, after.answers[i]!]);
    for (const line of sideBySide([["", "before", "after"], ...rows], [24, 0, 0], Math.min(output.columns, 120))) output.line(line);
    const [from, to] = [before.evaluation.loss, after.evaluation.loss].map((loss) => loss.toFixed(3)) as [string, string];
    output.line();
    output.line(`  validation loss  ${from} → ${output.colors.green(to)}`);
  }

  #tellMemory({ memory, pager, stateBytes }: DemoEnd): void {
    const { output } = this;
    const { colors, columns } = output;
    this.#heading("Memory of one step");
    for (const line of measuredTable(memory.map((m) => ({ title: TITLES[m.method], ...m })))) output.line(line);
    const why = "A model so small has more activations than weights; in large ones it is the other way round:";
    for (const text of [...wrap(why, Math.min(columns - 4, 90)), `${this.#command()} plan llama-7b`]) output.line(`  ${colors.dim(text)}`);
    const uses = `${plural(pager.hits, "hit")} · ${plural(pager.faults, "fault")} · ${count(pager.prefetches)} prefetched`;
    output.line();
    const held = `${showBytes(stateBytes)} of moments, at most ${showBytes(pager.peakResidentBytes)} of them on the device`;
    output.facts("pager", `${held} · ${uses} · ${showBytes(pager.bytesIn)} in · ${showBytes(pager.bytesOut)} out`);
  }

  #heading(text: string): void {
    this.output.line();
    this.output.line(`  ${this.output.colors.bold(text)}`);
  }

  /** How the user types the command from here. */
  #command(): string {
    return process.env.npm_lifecycle_event === "demo" ? "npm run qlora --" : typedCommand();
  }

  /** The same as a run of its own, which can be talked to. */
  #nextCommand(): string {
    const path = (to: string): string => shellWord(relative(process.cwd(), to) || ".");
    return `${this.#command()} train ${path(this.options.model)} ${path(this.options.data)} --epochs 5 --lr 1e-3`;
  }
}
