// Shapes of the LLaMA models of the paper, to plan for without having them. Sizes: LLaMA paper (arXiv 2302.13971), table 2, and its release's
// params.json for the feed-forward widths.
import { UsageError } from "../error.ts";
import { llama as family } from "../families/llama.ts";
import { didYouMean } from "../nearest-name.ts";
import { configOfFamily } from "./config-of-family.ts";
import type { ModelConfig } from "./model-config.ts";

const llama = (hidden_size: number, intermediate_size: number, num_hidden_layers: number, num_attention_heads: number): ModelConfig =>
  configOfFamily(family, {
    model_type: "llama",
    hidden_size,
    intermediate_size,
    num_hidden_layers,
    num_attention_heads,
    vocab_size: 32_000,
    bos_token_id: 1,
    eos_token_id: 2,
    dtype: "float16",
  });

/** By the names that `qlora plan` takes. */
export const SHAPES: Readonly<Record<string, ModelConfig>> = Object.freeze({
  "llama-7b": llama(4096, 11008, 32, 32),
  "llama-13b": llama(5120, 13824, 40, 40),
  "llama-33b": llama(6656, 17920, 60, 52),
  "llama-65b": llama(8192, 22016, 80, 64),
});

/**
 * The shape of a known model, to plan with: no file of it is needed.
 * @throws UsageError if no shape has that name
 */
export function shapeNamed(name: string): ModelConfig {
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape) return shape;
  const names = Object.keys(SHAPES);
  throw new UsageError(name, `is not a shape that is known (${names.join(", ")}).${didYouMean(name, names)}`, { name, names });
}
