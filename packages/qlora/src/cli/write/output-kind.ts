// What `--as` may say, and what it means.
import type { WrittenType } from "../../formats/gguf-writer/encode-tensor.ts";

export const OUTPUT_KINDS = ["safetensors", "gguf-f16", "gguf-q8_0", "gguf-q4_0", "bnb-nf4"] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** The type of matrices in a GGUF file; undefined for a folder. */
export const GGUF_TYPES: Readonly<Record<OutputKind, WrittenType | undefined>> = {
  safetensors: undefined,
  "gguf-f16": "F16",
  "gguf-q8_0": "Q8_0",
  "gguf-q4_0": "Q4_0",
  "bnb-nf4": undefined,
};

/** The same for people. */
export const OUTPUT_WORDS: Readonly<Record<OutputKind, string>> = {
  safetensors: "safetensors, in the type of the model's files",
  "gguf-f16": "GGUF, matrices in F16",
  "gguf-q8_0": "GGUF, matrices in Q8_0",
  "gguf-q4_0": "GGUF, matrices in Q4_0, embeddings and head in Q8_0",
  "bnb-nf4": "safetensors, linear weights in 4 bits as bitsandbytes has them, NF4 + double quantization",
};
