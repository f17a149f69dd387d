// Shapes of the LLaMA models of the paper, to plan for without having them. Sizes: LLaMA paper (arXiv 2302.13971), table 2, and its release's
// params.json for the feed-forward widths.
import { UsageError } from "../error.ts";
import { didYouMean } from "../nearest-name.ts";
import type { LlamaConfig } from "./llama-config.ts";

function llama(hiddenSize: number, intermediateSize: number, layers: number, heads: number): LlamaConfig {
  return Object.freeze({
    modelType: "llama",
    hiddenSize,
    intermediateSize,
    layers,
    heads,
    kvHeads: heads,
    headDim: 128,
    vocabSize: 32_000,
    maxPositions: 2048,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    ropeScaling: Object.freeze({ kind: "none" }),
    tieWordEmbeddings: false,
    attentionBias: false,
    mlpBias: false,
    hiddenAct: "silu",
    bosTokenId: 1,
    eosTokenIds: Object.freeze([2]),
    padTokenId: undefined,
    dtype: "f16",
  } as const satisfies LlamaConfig);
}

/** By the names that `qlora plan` takes. */
export const SHAPES: Readonly<Record<string, LlamaConfig>> = Object.freeze({
  "llama-7b": llama(4096, 11008, 32, 32),
  "llama-13b": llama(5120, 13824, 40, 40),
  "llama-33b": llama(6656, 17920, 60, 52),
  "llama-65b": llama(8192, 22016, 80, 64),
});

/** @throws UsageError if no shape has that name */
export function shapeNamed(name: string): LlamaConfig {
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape) return shape;
  const names = Object.keys(SHAPES);
  throw new UsageError(name, `is not a shape that is known (${names.join(", ")}).${didYouMean(name, names)}`, { name, names });
}
