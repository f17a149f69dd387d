// Whether a run fits into memory, and what each layer keeps for the backward pass so that it does.
import { ArgumentError, OutOfMemoryError } from "@qlora-js/core";
import type { ModelConfig } from "../../config/model-config.ts";
import type { Example } from "../../data/tokenize.ts";
import { UsageError } from "../../error.ts";
import type { LoraSettings } from "../../formats/peft-config.ts";
import type { StoredWeights, WeightDType } from "../../models/weight-form.ts";
import { batchShape } from "../../plan/batch-shape.ts";
import { showBytes } from "../../plan/byte-size.ts";
import { cheapestChanges } from "../../plan/cheapest-changes.ts";
import { chooseRecompute, fitsBudget, type MemoryBudget, type RecomputeChoice } from "../../plan/choose-recompute.ts";
import { type ForecastOptions, forecast } from "../../plan/forecast.ts";
import { memoryBudget } from "../../plan/memory-budget.ts";
import type { Workspace } from "../../plan/workspace.ts";
import type { RunOptions } from "../../run/manifest.ts";
import { formatOf } from "../options.ts";

export interface MemoryQuestion {
  readonly config: ModelConfig;
  readonly dtype: WeightDType;
  /** What the model's files have. */
  readonly stored: StoredWeights;
  readonly lora: LoraSettings;
  readonly examples: readonly Example[];
  readonly options: RunOptions;
  /** By `--memory`. */
  readonly memory: number | undefined;
  /** By `--weights-budget`. */
  readonly weightsBudget: number | undefined;
  /** Of the backend in question; the CPU's where left out. */
  readonly workspace?: Workspace;
}

/** The choice, and what was asked. */
export interface PlannedMemory extends RecomputeChoice {
  readonly run: ForecastOptions;
}

/**
 * The choice for a run.
 * @throws UsageError with the three cheapest changes if it does not fit, or if the pager's budget cannot hold a page
 */
export function planMemory({
  config,
  dtype,
  stored,
  lora,
  examples,
  options,
  memory,
  weightsBudget,
  workspace,
}: MemoryQuestion): PlannedMemory {
  const { batch, accumulate, optimizer, pagerBudget, checkpointing } = options;
  const run: Omit<ForecastOptions, "recompute"> = {
    dtype,
    stored,
    format: formatOf(options),
    adapter: lora,
    ...batchShape(examples, batch),
    accumulate,
    optimizerBits: optimizer === "adamw8bit" ? 8 : 32,
    ...(pagerBudget === null ? {} : { pagerBudget }),
    ...(weightsBudget === undefined ? {} : { weightsBudget }),
    ...(workspace === undefined ? {} : { workspace }),
  };
  const budget = memoryBudget(memory);
  try {
    const choice = checkpointing ? chooseRecompute(config, run, budget) : keepAll(config, run, budget);
    if (choice.fits) return { ...choice, run: { ...run, recompute: choice.recompute } };
    const { totalBytes } = choice.forecast;
    const what = `the run would take ${showBytes(totalBytes)}, and there are ${showBytes(budget.totalBytes)}. ${changesInWords(config, { ...run, recompute: choice.recompute }, budget)}`;
    throw new UsageError("memory", what, { neededBytes: totalBytes, budgetBytes: budget.totalBytes });
  } catch (error) {
    if (error instanceof ArgumentError && error.argument === "budgetBytes")
      throw new UsageError("--pager-budget", error.message.replace(/^pager: /, ""), { value: error.value }, { cause: error });
    throw error;
  }
}

function changesInWords(config: ModelConfig, run: ForecastOptions, budget: MemoryBudget): string {
  const lines = cheapestChanges(config, run, budget).map(
    ({ flags, cost, savedBytes, fits }) => `  ${flags}   saves ${showBytes(savedBytes)} (${cost})${fits ? ", enough alone" : ""}`,
  );
  return `The cheapest changes:\n${lines.join("\n")}`;
}

/** What the device's refusal means to a run: the same error, with what to change. How much room there is nobody knows, so none is enough for sure. */
export function withChanges(error: OutOfMemoryError, config: ModelConfig, run: ForecastOptions): OutOfMemoryError {
  const { backend, requestedBytes, liveBytes, message } = error;
  const unknown: MemoryBudget = { totalBytes: Number.POSITIVE_INFINITY, deviceBytes: 0, roomyBytes: 0 };
  const what = `${message.slice(backend.length + 2)} ${changesInWords(config, run, unknown)}`;
  return new OutOfMemoryError(backend, requestedBytes, liveBytes, what);
}

function keepAll(config: ModelConfig, run: Omit<ForecastOptions, "recompute">, budget: MemoryBudget): RecomputeChoice {
  const recompute = Array.from({ length: config.layers }, () => "nothing" as const);
  const predicted = forecast(config, { ...run, recompute });
  return { recompute, forecast: predicted, fits: fitsBudget(predicted, budget) };
}
