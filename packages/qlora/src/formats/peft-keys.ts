// Names of the tensors in `adapter_model.safetensors`: `base_model.model.`, a module, and which of its tensors it is.
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { quoted } from "./quoted.ts";

export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

/** A word of the file's metadata, which other tools pass over: see `PeftAdapter.residual`. */
export const RESIDUAL = "qlora_residual";

const PREFIX = "base_model.model.";

/** LoRA's two matrices, and DoRA's lengths of rows. */
export type LoraSide = "a" | "b" | "magnitude";

const ENDINGS: Readonly<Record<LoraSide, string>> = { a: ".lora_A.weight", b: ".lora_B.weight", magnitude: ".lora_magnitude_vector" };

/** The key of one of a module's trained tensors. */
export const loraKey = (module: string, side: LoraSide): string => `${PREFIX}${module}${ENDINGS[side]}`;

/** The key of a tensor saved whole. Where its module is adapted too, PEFT finds it a level deeper. */
export const wholeKey = (module: string, ending: string, adapted: boolean): string =>
  `${PREFIX}${module}${adapted ? ".base_layer" : ""}.${ending}`;

/** What a key names: a tensor of a module's adapter, or one of the model's own, saved whole. */
export type AdapterKey =
  | { readonly kind: "lora"; readonly module: string; readonly side: LoraSide }
  | { readonly kind: "whole"; readonly module: string; readonly ending: "weight" | "bias" };

/** What other tensors an adapter may hold, by the ends of their names. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/\.lora_embedding_[AB]$/, "LoRA on embeddings"],
  [/\.lora_[AB]\.bias$/, "a bias on LoRA's matrices"],
  [/\.trainable_tokens_delta$/, "single trained tokens"],
  [/\.lora_[AB]\.[^.]+\.weight$/, "an adapter's name in its keys, which PEFT leaves out when it saves,"],
];

/**
 * @throws UsageError for a tensor of a kind that is not done here
 * @throws FormatError for a key that is none of PEFT's
 */
export function parseAdapterKey(file: string, key: string): AdapterKey {
  if (!key.startsWith(PREFIX)) throw new FormatError(file, `the key ${quoted(key)} does not start with ${PREFIX}, as PEFT's do.`);
  const name = key.slice(PREFIX.length);
  for (const side of ["a", "b", "magnitude"] as const) {
    const ending = ENDINGS[side];
    if (name.endsWith(ending)) return { kind: "lora", module: name.slice(0, -ending.length), side };
  }
  // PEFT before 0.10 had the lengths as a module
  const older = `${ENDINGS.magnitude}.weight`;
  if (name.endsWith(older)) return { kind: "lora", module: name.slice(0, -older.length), side: "magnitude" };
  const other = OTHERS.find(([pattern]) => pattern.test(key));
  if (other) throw new UsageError(file, `holds ${quoted(key)}: ${other[1]} is not supported. LoRA on linear layers is.`, { key });
  const whole = /^(.+?)(?:\.base_layer)?\.(weight|bias)$/.exec(name);
  if (!whole || name.includes(".lora_")) throw new FormatError(file, `the key ${quoted(key)} is none of LoRA's.`);
  return { kind: "whole", module: whole[1]!, ending: whole[2] as "weight" | "bias" };
}
