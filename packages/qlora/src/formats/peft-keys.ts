// Names of the tensors in `adapter_model.safetensors`: `base_model.model.` + module + `.lora_A.weight` or `.lora_B.weight`.
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { quoted } from "./quoted.ts";

export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

const PREFIX = "base_model.model.";

/** The key of one of a module's two matrices. */
export const loraKey = (module: string, side: "a" | "b"): string => `${PREFIX}${module}.lora_${side.toUpperCase()}.weight`;

export interface LoraKey {
  readonly module: string;
  readonly side: "a" | "b";
}

/** What other tensors an adapter may hold, by the ends of their names. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/\.lora_magnitude_vector(\.weight)?$/, "DoRA"],
  [/\.lora_embedding_[AB]$/, "LoRA on embeddings"],
  [/\.lora_[AB]\.bias$/, "a bias on LoRA's matrices"],
  [/\.trainable_tokens_delta$/, "single trained tokens"],
  [/\.lora_[AB]\.[^.]+\.weight$/, "an adapter's name in its keys, which PEFT leaves out when it saves,"],
  [/\.(weight|bias)$/, "a tensor saved in full"],
];

/**
 * @throws UsageError for a tensor of a kind that is not done here
 * @throws FormatError for a key that is none of PEFT's
 */
export function parseLoraKey(file: string, key: string): LoraKey {
  const side = key.endsWith(".lora_A.weight") ? "a" : key.endsWith(".lora_B.weight") ? "b" : undefined;
  if (!key.startsWith(PREFIX)) throw new FormatError(file, `the key ${quoted(key)} does not start with ${PREFIX}, as PEFT's do.`);
  if (side) return { module: key.slice(PREFIX.length, -".lora_A.weight".length), side };
  const other = OTHERS.find(([pattern]) => pattern.test(key));
  if (other) throw new UsageError(file, `holds ${quoted(key)}: ${other[1]} is not supported. Plain LoRA is.`, { key });
  throw new FormatError(file, `the key ${quoted(key)} is none of LoRA's.`);
}
