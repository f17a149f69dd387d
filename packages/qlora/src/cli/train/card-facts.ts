// What a run's model card says besides the losses: where it came from and its options.
import type { LoraAdapter } from "../../lora/lora-adapter.ts";
import type { Manifest } from "../../run/manifest.ts";
import { type CardFacts, modelCard } from "../../run/model-card.ts";
import { formatWords } from "../options.ts";
import { qloraVersion } from "../version.ts";

/** Options that are told as something else, or say when, not how. */
const TOLD: ReadonlySet<string> = new Set([
  ...["rank", "alpha", "dropout", "targets", "dora", "rslora", "init", "modulesToSave", "bias", "adapterConfig"],
  ...["format", "blockSize", "doubleQuant", "pagerBudget", "checkpointing", "saveEvery", "evalEvery", "steps"],
]);

/** The card of a run's adapter after a step. */
export function cardOf({ model, data, options }: Omit<Manifest, "backend">, adapter: LoraAdapter, rows: number) {
  const told = Object.entries(options).flatMap(([name, value]) =>
    TOLD.has(name) || value === null || Array.isArray(value) ? [] : [[typed(name), value] as const],
  );
  const facts: Omit<CardFacts, "step" | "trainLoss" | "validLoss"> = {
    settings: { ...adapter.settings, init: options.init },
    baseModel: model.path,
    data: data.path,
    rows,
    format: formatWords(options),
    parameters: adapter.parameterCount,
    options: told,
    version: qloraVersion(),
  };
  return (now: Pick<CardFacts, "step" | "trainLoss" | "validLoss">): string => modelCard({ ...facts, ...now });
}

/** `weightDecay` as it is typed: `weight-decay`. */
const typed = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
