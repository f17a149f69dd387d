// What to change when a run does not fit: each change alone, with what it saves, from the one that costs least. First those that give the same result in
// more time, then those that change how it is computed, then those that train something else.
import { nf4 } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import { fitsBudget, type MemoryBudget } from "./choose-recompute.ts";
import { type Forecast, type ForecastOptions, forecast } from "./forecast.ts";

/** One change to a run that does not fit, and what it saves. */
export interface Change {
  /** What to type. */
  readonly flags: string;
  /** What it costs. */
  readonly cost: string;
  readonly savedBytes: number;
  /** What the run takes then. */
  readonly totalBytes: number;
  /** Whether this change alone is enough. */
  readonly fits: boolean;
}

interface Candidate {
  readonly flags: string;
  readonly cost: string;
  readonly options: ForecastOptions;
}

/** Changes that save less than this share of what is too much are not worth telling while there are others. */
const WORTH_TELLING = 0.1;
/** Fewer tokens a row than this are no conversation. */
const SHORTEST = 128;
const SMALLEST_RANK = 4;
/** One that computes and one that comes, and what layers differ by. */
const TWO_LAYERS = 2.1;

/**
 * The three cheapest changes, cheapest first.
 * @param options of the run that does not fit, `recompute` as it was chosen
 */
export function cheapestChanges(config: ModelConfig, options: ForecastOptions, budget: MemoryBudget): Change[] {
  const now = forecast(config, options);
  const compare = comparison(now, budget);
  const changes = candidates(config, options, now).map(({ flags, cost, options }) => compare(flags, cost, forecast(config, options)));
  const useful = changes.filter(({ savedBytes }) => savedBytes > 0);
  const excess = Math.max(now.totalBytes - budget.totalBytes, now.deviceBytes - budget.deviceBytes, 0);
  const worth = useful.filter(({ savedBytes }) => savedBytes >= WORTH_TELLING * excess);
  const rest = useful.filter((c) => !worth.includes(c)).sort((a, b) => b.savedBytes - a.savedBytes);
  const chosen = new Set([...worth, ...rest].slice(0, 3));
  return useful.filter((change) => chosen.has(change));
}

/** Savings are of the whole where that is too much, else of the device. */
function comparison(now: Forecast, budget: MemoryBudget): (flags: string, cost: string, then: Forecast) => Change {
  const bytes = (f: Forecast): number => (now.totalBytes > budget.totalBytes ? f.totalBytes : f.deviceBytes);
  return (flags, cost, then) => ({
    flags,
    cost,
    savedBytes: bytes(now) - bytes(then),
    totalBytes: then.totalBytes,
    fits: fitsBudget(then, budget),
  });
}

function candidates(config: ModelConfig, options: ForecastOptions, now: Forecast): Candidate[] {
  const { batch, accumulate, length, supervised, optimizerBits, adapter, format, pagerBudget } = options;
  const found: Candidate[] = [];
  const add = (flags: string, cost: string, changed: Partial<ForecastOptions>): void => {
    found.push({ flags, cost, options: { ...options, ...changed } });
  };
  if (options.recompute.includes("nothing")) add("without --no-checkpointing", "same result, slower", { recompute: ["all"] });
  if (batch > 1) {
    const rows = Math.floor(batch / 2);
    const times = Math.ceil((batch * accumulate) / rows);
    add(`--batch ${rows} --accumulate ${times}`, "same result, somewhat slower", {
      batch: rows,
      accumulate: times,
      supervised: (supervised * rows) / batch,
    });
  }
  if (pagerBudget === undefined && adapter) {
    const budget = pagerBudgetOf(config, adapter.rank, (now.trainedParameters * optimizerBits) / 4);
    add(`--pager-budget ${budget}`, "same result, moments wait on the host", { pagerBudget: budget });
  }
  if (format && options.weightsBudget === undefined) {
    const budget = Math.ceil((TWO_LAYERS * (now.components.weights + now.components.scales)) / config.layers);
    add(`--weights-budget ${budget}`, "same result, slower, weights wait on the host", { weightsBudget: budget });
  }
  if (optimizerBits === 32) add("--optimizer adamw8bit", "nearly the same result", { optimizerBits: 8 });
  if (!format) add("--format nf4", "QLoRA instead of LoRA", { format: nf4() });
  else if (!format.doubleQuant) add("without --no-double-quant", "scales in 8 bits", { format: { ...format, doubleQuant: true } });
  if (length > SHORTEST) {
    const half = Math.max(SHORTEST, Math.ceil(length / 2));
    add(`--max-length ${half}`, "longer rows are cut", { length: half, supervised: (supervised * half) / length });
  }
  if (adapter && adapter.rank > SMALLEST_RANK) {
    const rank = Math.max(SMALLEST_RANK, Math.floor(adapter.rank / 2));
    add(`--rank ${rank}`, "a smaller adapter", { adapter: { ...adapter, rank } });
  }
  return found;
}

/** A tenth of the moments, but room for the largest page. */
function pagerBudgetOf({ hiddenSize, intermediateSize, heads, headDim }: ModelConfig, rank: number, stateBytes: number): number {
  return Math.max(Math.ceil(stateBytes / 10), 8 * rank * Math.max(hiddenSize, intermediateSize, heads * headDim));
}
