// The three ways of fine-tuning that a plan puts side by side, on one model with the same rows: every weight in 16 bits, LoRA over the file's weights, and
// LoRA over 4-bit weights.
import { nf4 } from "@qlora-js/core";
import type { LoraSettings } from "../formats/peft-config.ts";
import { unpackedWeights } from "../models/weight-form.ts";
import type { ForecastOptions } from "./forecast.ts";

/** The three ways of fine-tuning that a plan puts side by side. */
export const METHODS = ["full16", "lora", "qlora"] as const;
/** One of them. */
export type Method = (typeof METHODS)[number];

/** A run's options with an adapter. */
export type AdapterRun = ForecastOptions & { readonly adapter: LoraSettings };

/** The run done by another method. QLoRA has the run's format, and NF4 where it has none. Full fine-tuning adds gradients up in place, and pages nothing. */
export function byMethod(method: Method, run: AdapterRun): ForecastOptions {
  if (method === "lora") return { ...run, format: null, ...(run.stored ? { stored: unpackedWeights(run.stored) } : {}) };
  if (method === "qlora") return { ...run, format: run.format ?? nf4() };
  const { pagerBudget: _, stored: __, ...rest } = run;
  return { ...rest, format: null, adapter: null, accumulate: 1, dtype: run.dtype === "f32" ? "bf16" : run.dtype };
}

/** The method that the run is. */
export const methodOf = ({ format }: AdapterRun): Method => (format ? "qlora" : "lora");
