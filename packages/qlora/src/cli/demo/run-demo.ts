// The demo from beginning to end: look, train, look again, and what it took. What is printed is in demo-report.ts.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nf4, Pager } from "@qlora-js/core";
import { DataOrder } from "../../data/order.ts";
import type { Example } from "../../data/tokenize.ts";
import { loraSettings } from "../../formats/peft-config.ts";
import { conversationIds } from "../../generate/prompt-ids.ts";
import { LoraAdapter } from "../../lora/lora-adapter.ts";
import type { LanguageModel } from "../../models/language-model.ts";
import { PagedAdamW } from "../../optimizer/paged-adamw.ts";
import { batchShape } from "../../plan/batch-shape.ts";
import { chooseRecompute } from "../../plan/choose-recompute.ts";
import { forecast } from "../../plan/forecast.ts";
import { memoryBudget } from "../../plan/memory-budget.ts";
import { type AdapterRun, byMethod } from "../../plan/methods.ts";
import { evaluate } from "../../train/evaluate.ts";
import { type TrainStep, train } from "../../train/train.ts";
import { answer } from "../answer.ts";
import { INTERRUPTED } from "../failure.ts";
import { nextTurn } from "../next-turn.ts";
import type { BackendChoice } from "../open-backend.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { Session } from "../open-session.ts";
import type { Output } from "../output.ts";
import { readExamples } from "../read-examples.ts";
import { StopRequest } from "../train/stop-request.ts";
import { DemoReport, type MethodMemory, type Sight } from "./demo-report.ts";
import { measureFull, measureLora } from "./measure-methods.ts";

export interface DemoOptions {
  /** The model's folder. */
  readonly model: string;
  /** A folder with train.jsonl, valid.jsonl and prompts.json. */
  readonly data: string;
  readonly steps: number;
  readonly seed: number;
  readonly on: BackendChoice;
}

const BATCH = 8;
const LEARNING_RATE = 1e-3;
const CLIP = 1;
const LORA = loraSettings({ rank: 16, alpha: 32, targetModules: "all-linear" });
/** The part of the moments that may be on the device at one time: so little only to show paging at work. */
const PAGED_SHARE = 4;
const MAX_NEW_TOKENS = 48;

/** Thrown to leave from wherever Ctrl-C was heard; nobody sees it. */
class Interrupted extends Error {}

export async function runDemo(options: DemoOptions, output: Output): Promise<void> {
  const stop = new StopRequest(() => output.status("  stopping …"));
  const demo = new Demo(options, output, stop);
  try {
    await demo.run();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    output.clearStatus();
    output.line("  stopped; nothing was written");
    output.event("done", { interrupted: true });
    process.exitCode = INTERRUPTED;
  } finally {
    demo.close();
    stop.dispose();
  }
}

class Demo {
  readonly #report: DemoReport;
  #session: Session | undefined;

  constructor(
    readonly options: DemoOptions,
    readonly output: Output,
    readonly stop: StopRequest,
  ) {
    this.#report = new DemoReport(output, options);
  }

  async run(): Promise<void> {
    const { model: path, data, on, seed, steps } = this.options;
    const folder = await openModelFolder(path);
    const learn = await readExamples([join(data, "train.jsonl")], folder);
    const check = await readExamples([join(data, "valid.jsonl")], folder);
    const prompts = JSON.parse(await readFile(join(data, "prompts.json"), "utf8")) as string[];

    const session = await Session.open(folder, { format: nf4(), on, output: this.output });
    this.#session = session;
    const adapter = LoraAdapter.create(session.model, LORA, seed);
    const run = this.#plan(folder, learn.examples, adapter.parameterCount);
    this.#report.begin({ folder, run, trained: adapter.parameterCount, learn: learn.examples.length, check: check.examples.length });

    const before = await this.#look(session.model, folder, check.examples, prompts, "before");
    session.backend.resetPeak();
    const parameters = adapter.parameters();
    const pager = new Pager(session.backend, { budgetBytes: run.pagerBudget! });
    const optimizer = new PagedAdamW(parameters, pager);
    const order = new DataOrder(learn.examples.length, { order: "shuffle", batch: BATCH, accumulate: 1, seed });
    const how = {
      learningRate: LEARNING_RATE,
      schedule: "cosine",
      warmupSteps: Math.ceil(steps / 20),
      clip: CLIP,
      dropout: false,
    } as const;
    const done: TrainStep[] = [];
    const loop = { ...how, seed, steps, recompute: run.recompute };
    for await (const step of train(session.model, [...parameters.values()], optimizer, learn.examples, order, loop)) {
      done.push(step);
      this.#report.step(step);
      await this.#breathe();
    }
    const peak = session.backend.memory().peakBytes;
    const { counters } = pager;
    pager.dispose();
    const after = await this.#look(session.model, folder, check.examples, prompts, "after");
    this.close();
    const memory = await this.#memory(folder, run, peak, learn.examples);
    this.#report.end({ before, after, steps: done, memory, pager: counters, stateBytes: optimizer.stateBytes });
  }

  /** Frees the backend and its threads; may be called twice. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #plan({ config }: ModelFolder, examples: readonly Example[], trained: number): AdapterRun {
    const run = { dtype: "bf16", format: nf4(), adapter: LORA, ...batchShape(examples, BATCH), accumulate: 1, optimizerBits: 32 } as const;
    const pagerBudget = Math.ceil((trained * 8) / PAGED_SHARE);
    const { recompute } = chooseRecompute(config, { ...run, pagerBudget }, memoryBudget());
    return { ...run, pagerBudget, recompute };
  }

  /** What the model does now: its loss on rows it does not learn from, and its answers. */
  async #look(
    model: LanguageModel,
    { tokenizer, template, stopIds }: ModelFolder,
    examples: readonly Example[],
    prompts: readonly string[],
    when: Sight["when"],
  ): Promise<Sight> {
    const evaluation = await evaluate(model, examples, BATCH, (rows) => {
      this.#report.looking(when, rows / examples.length);
      return this.#breathe();
    });
    this.#report.evaluated(when, evaluation);
    const answers: string[] = [];
    for (const [i, prompt] of prompts.entries()) {
      const ids = conversationIds(tokenizer!, template!, [{ role: "user", content: prompt }]);
      const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: MAX_NEW_TOKENS, seed: 0, stopIds };
      const said = await answer(model, ids, { ...greedy, tokenizer, stopped: () => this.stop.requested });
      await this.#breathe();
      this.#report.answered(when, prompt, said, (i + 1) / prompts.length);
      answers.push(said.text.trim());
    }
    return { when, evaluation, prompts, answers };
  }

  /** QLoRA as it was done, and the two other methods on the longest rows, which the forecast is for. */
  async #memory(folder: ModelFolder, run: AdapterRun, peak: number, examples: readonly Example[]): Promise<MethodMemory[]> {
    const longest = [...examples].sort((a, b) => b.inputIds.length - a.inputIds.length).slice(0, BATCH);
    const { recompute, pagerBudget } = run;
    const measured = { folder, on: this.options.on, examples: longest, settings: LORA, recompute, pagerBudget: pagerBudget! };
    this.#report.measuring("16-bit full fine-tuning");
    const full = await measureFull(measured);
    await this.#breathe();
    this.#report.measuring("LoRA over 16-bit weights");
    const lora = await measureLora(measured);
    await this.#breathe();
    const bytes = { full16: full, lora, qlora: peak };
    return (["full16", "lora", "qlora"] as const).map((method) => ({
      method,
      forecast: forecast(folder.config, byMethod(method, run)),
      measuredBytes: bytes[method],
    }));
  }

  /** Lets signals be heard. */
  async #breathe(): Promise<void> {
    await nextTurn();
    if (this.stop.requested) throw new Interrupted();
  }
}
