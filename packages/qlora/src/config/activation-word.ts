import type { Activation } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";

const WORDS: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  relu: "relu",
};

/** What a word of transformers' `ACT2FN` means. @throws UsageError if it is not known */
export function activationOf(file: string, key: string, word: string): Activation {
  const activation = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (activation) return activation;
  throw new UsageError(file, `${key} ${quoted(word)} is not supported. Supported: ${Object.keys(WORDS).join(", ")}.`, { key, value: word });
}
