// Several adapters on one model, chosen by call: one alone, none, or a weighted sum of what each adds.
import { UsageError } from "../error.ts";
import type { LanguageModel } from "../models/language-model.ts";
import type { LoraAdapter } from "./lora-adapter.ts";

/** An adapter that is on the model, and how much of it: its branch is multiplied by the weight. 1 where left out. */
export interface ChosenAdapter {
  readonly adapter: LoraAdapter;
  readonly weight?: number;
}

/**
 * Calls fn with the chosen adapters alone; then the weights are as before. What adapters add is summed, as PEFT's `add_weighted_adapter` does with "cat".
 * @throws UsageError if one is not on the model, is there twice, or the choice cannot be computed: a DoRA with others, two that replace the same tensor
 */
export async function withAdapters<T>(model: LanguageModel, chosen: readonly ChosenAdapter[], fn: () => T | Promise<T>): Promise<T> {
  const before = [...model.attached].map((adapter) => [adapter, adapter.weight] as const);
  try {
    chooseAdapters(model, chosen);
    return await fn();
  } finally {
    // first off, then on: two that replace one tensor take turns
    for (const [adapter] of before) adapter.setWeight(0);
    for (const [adapter, weight] of before) adapter.setWeight(weight);
  }
}

/**
 * Sets the weights of all adapters on a model: those of the chosen, and 0 for the others.
 * @throws UsageError as withAdapters; nothing is changed then
 */
export function chooseAdapters(model: LanguageModel, chosen: readonly ChosenAdapter[]): void {
  const active = chosen.filter(({ weight = 1 }) => weight !== 0);
  for (const [i, { adapter, weight = 1 }] of chosen.entries()) {
    if (!model.attached.has(adapter)) throw new UsageError("adapter", "is not on this model. Load it on the model first.");
    if (chosen.findIndex((other) => other.adapter === adapter) !== i) throw new UsageError("adapter", "is chosen twice. Choose it once.");
    if (!Number.isFinite(weight)) throw new UsageError("adapter", `cannot have the weight ${weight}. Give a number.`, { weight });
    adapter.checkWeight(weight);
  }
  if (active.length > 1) for (const { adapter } of active) checkCombined(adapter, active);
  for (const adapter of model.attached) adapter.setWeight(0);
  for (const { adapter, weight = 1 } of chosen) adapter.setWeight(weight);
}

function checkCombined(adapter: LoraAdapter, active: readonly ChosenAdapter[]): void {
  if (adapter.settings.useDora)
    throw new UsageError("adapter", "is a DoRA, which measures the weight it is on, and cannot be combined with others. Choose one.");
  const names = new Set(adapter.whole.map(({ at }) => at.name));
  for (const { adapter: other } of active) {
    const both = other !== adapter && other.whole.find(({ at }) => names.has(at.name));
    if (both) throw new UsageError("adapter", `replaces ${both.at.name}, and so does another. Choose one.`, { tensor: both.at.name });
  }
}
