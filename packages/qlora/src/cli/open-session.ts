// Everything a command computes with: the model's folder, a backend, the weights, an adapter. Opened together, closed together.
import { ArgumentError, type Backend, FrozenPager, type QFormat } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { openModelFiles } from "../formats/model-files.ts";
import { openFolder } from "../formats/node-folder.ts";
import { openAdapter } from "../formats/open-adapter.ts";
import { type LoadedAs, LoraAdapter } from "../lora/lora-adapter.ts";
import type { WeightStart } from "../lora/weight-start.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { type LoadOptions, loadModel } from "../models/load-model.ts";
import { type ForecastOptions, forecast } from "../plan/forecast.ts";
import { CountedWork } from "./counted-work.ts";
import { type BackendChoice, type OpenBackend, openBackend } from "./open-backend.ts";
import type { ModelFolder } from "./open-model.ts";
import type { Output } from "./output.ts";

export interface SessionOptions {
  readonly format: QFormat | null;
  readonly on: BackendChoice;
  readonly output: Output;
  /** What an adapter does to the weights as they come. */
  readonly start?: WeightStart | undefined;
}

export class Session {
  private constructor(
    readonly folder: ModelFolder,
    readonly backend: Backend,
    /** What computes, for the run's manifest. */
    readonly device: OpenBackend["facts"],
    readonly model: LanguageModel,
    /** Of the weights, where they have a budget. */
    readonly weights: FrozenPager | undefined,
    readonly ahead: OpenBackend["ahead"],
  ) {}

  /**
   * Starts a backend and reads the weights onto it, showing how far it is.
   * @throws FormatError, UsageError as `openModelFiles` and `loadModel`; OutOfMemoryError
   */
  static async open(folder: ModelFolder, { format, on, output, start }: SessionOptions): Promise<Session> {
    const files = await openModelFiles(folder.folder);
    try {
      const { backend, facts, words, ahead } = await openBackend(on);
      if (on.backend !== "cpu") {
        output.facts("backend", words);
        output.event("backend", { ...facts, words });
      }
      try {
        const pager = on.weightsBudget === undefined ? undefined : new FrozenPager(backend, { budgetBytes: on.weightsBudget });
        const model = await loadModel(backend, folder.config, files, {
          format,
          onProgress: new CountedWork(output, "loading").show,
          ...(pager ? { pager } : {}),
          ...preparing(start),
        });
        output.clearStatus();
        return new Session(folder, backend, facts, model, pager, ahead);
      } catch (error) {
        backend.dispose();
        throw inWords(error);
      }
    } finally {
      await files.close();
    }
  }

  /**
   * Puts the adapter of a folder on the model.
   * @param options as `LoraAdapter.load`
   * @throws UsageError, AdapterMismatchError, FormatError as `openAdapter`
   */
  async adapt(path: string, options: LoadedAs = {}): Promise<LoraAdapter> {
    const stored = await openAdapter(await openFolder(path), this.folder.config);
    try {
      return await LoraAdapter.load(this.model, stored, options);
    } finally {
      await stored.close();
    }
  }

  /** Compiles what a training step runs, where the device compiles: before the first step, with progress. */
  async compileStep(run: ForecastOptions, output: Output): Promise<void> {
    const { ahead } = this;
    if (!ahead) return;
    forecast(this.folder.config, run, (...op) => ahead.note(...op));
    await ahead.compile(new CountedWork(output, "compiling", "kernels").show);
    output.clearStatus();
  }

  close(): void {
    this.model.dispose();
    this.backend.dispose();
  }
}

const preparing = (start: WeightStart | undefined): Pick<LoadOptions, "prepare"> =>
  start ? { prepare: (module, weight) => start.prepare(module, weight) } : {};

/** A budget that holds no layer is the user's, and so is the sentence. */
const inWords = (error: unknown): unknown =>
  error instanceof ArgumentError && error.op === "frozenPager"
    ? new UsageError("--weights-budget", error.message.replace(/^frozenPager: /, ""), { value: error.value }, { cause: error })
    : error;
