// What Llama and its nearest kin have in common: RMS norms before attention and MLP, grouped queries, rotary positions, SwiGLU, no caps, no windows. A
// family's file gives its sizes and says what it does otherwise.
import * as z from "zod/mini";
import { common, flag, headCount, hiddenSize, intermediateSize, layerCount, normEps, readCommon, rotary } from "../config/common-schema.ts";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { readRope } from "../config/read-rope.ts";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { LLAMA_NAMES } from "./llama-names.ts";

/** Keys of config.json; those a family has more, or with other values where they are missing, are added to these. */
export const llamaKeys = {
  ...common,
  ...rotary,
  hidden_size: hiddenSize,
  intermediate_size: intermediateSize,
  num_hidden_layers: layerCount,
  num_attention_heads: headCount,
  num_key_value_heads: z.nullish(headCount),
  head_dim: z.nullish(headCount),
  rms_norm_eps: z._default(normEps, 1e-6),
  tie_word_embeddings: flag(),
  hidden_act: z._default(z.string(), "silu"),
};

const LlamaKeys = z.object(llamaKeys);
export type LlamaLikeJson = z.infer<typeof LlamaKeys>;

export interface LlamaLikeOptions {
  /** The base of rotary positions where none is given. */
  readonly theta?: number;
}

/** @throws UsageError, FormatError as the readers of its parts */
export function llamaLike(file: string, modelType: string, raw: LlamaLikeJson, { theta }: LlamaLikeOptions = {}): DecoderConfig {
  if (raw.hidden_act !== "silu" && raw.hidden_act !== "swish")
    throw new UsageError(file, `hidden_act ${quoted(raw.hidden_act)} is not supported. Models of type ${modelType} use silu.`, {
      key: "hidden_act",
      value: raw.hidden_act,
    });
  const heads = raw.num_attention_heads;
  const headDim = raw.head_dim ?? raw.hidden_size / heads;
  return {
    kind: "decoder",
    modelType,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    kvHeads: raw.num_key_value_heads ?? heads,
    headDim,
    maxPositions: raw.max_position_embeddings,
    ...readCommon(file, raw),
    attention: { scale: headDim ** -0.5, softcap: null, projections: "separate", queryKeyNorm: "none", bias: false, outputBias: false },
    mlp: { gate: "separate", activation: "silu", bias: false },
    norm: { kind: "rms", eps: raw.rms_norm_eps, plusOne: false },
    normPlaces: "before",
    ropes: Number.isInteger(headDim) ? [readRope(file, raw, { headDim, ...(theta ? { theta } : {}) })] : [],
    layerKinds: [{ window: null, rope: 0 }],
    learnedPositions: false,
    embeddingScale: 1,
    logitSoftcap: null,
    tieWordEmbeddings: raw.tie_word_embeddings,
    transposedWeights: false,
    names: LLAMA_NAMES,
    renamed: [],
  };
}
