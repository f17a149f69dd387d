// Gemma 2 and the text half of Gemma 3 (transformers' modeling_gemma2.py, modeling_gemma3.py). Norms on both sides of attention and MLP multiply by 1 + weight;
// embeddings are multiplied by √hidden; queries are scaled by a number of their own; layers with a window alternate with layers without. Gemma 2 caps scores and
// logits; Gemma 3 norms queries and keys, and turns its windowed layers with another base.
import * as z from "zod/mini";
import { activationOf } from "../config/activation-word.ts";
import {
  common,
  flag,
  headCount,
  hiddenSize,
  intermediateSize,
  layerCount,
  normEps,
  positionCount,
  positive,
  readCommon,
  rotary,
  size,
} from "../config/common-schema.ts";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { readRope } from "../config/read-rope.ts";
import { UsageError } from "../error.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { layerTypes, layerWindows } from "./layer-types.ts";
import { LLAMA_NAMES } from "./llama-names.ts";

const keys = {
  ...common,
  ...rotary,
  vocab_size: z._default(size(1 << 24), 256_000),
  bos_token_id: z._default(common.bos_token_id, 2),
  eos_token_id: z._default(common.eos_token_id, 1),
  pad_token_id: z._default(common.pad_token_id, 0),
  hidden_size: z._default(hiddenSize, 2304),
  intermediate_size: z._default(intermediateSize, 9216),
  num_hidden_layers: z._default(layerCount, 26),
  num_attention_heads: z._default(headCount, 8),
  num_key_value_heads: z._default(headCount, 4),
  head_dim: z._default(headCount, 256),
  max_position_embeddings: z._default(positionCount, 8192),
  rms_norm_eps: z._default(normEps, 1e-6),
  hidden_activation: z.nullish(z.string()),
  query_pre_attn_scalar: z._default(positive, 256),
  attention_bias: flag(),
  sliding_window: z._default(z.nullable(size(1 << 30)), 4096),
  layer_types: layerTypes,
  tie_word_embeddings: flag(true),
  use_bidirectional_attention: flag(),
};

const cap = (missing: number | null) => z._default(z.nullable(positive), missing);
const Gemma2Schema = z.object({ ...keys, attn_logit_softcapping: cap(50), final_logit_softcapping: cap(30) });
const Gemma3Schema = z.object({
  ...keys,
  vocab_size: z._default(size(1 << 24), 262_208),
  max_position_embeddings: z._default(positionCount, 131_072),
  attn_logit_softcapping: cap(null),
  final_logit_softcapping: cap(null),
  sliding_window_pattern: z.nullish(size(4096)),
  _sliding_window_pattern: z.nullish(size(4096)),
  rope_local_base_freq: z.nullish(positive),
});
type GemmaJson = z.infer<typeof Gemma2Schema>;

/** What both have. */
function gemma(file: string, modelType: string, raw: GemmaJson): Omit<DecoderConfig, "ropes" | "layerKinds"> {
  if (raw.use_bidirectional_attention)
    throw new UsageError(file, "use_bidirectional_attention true is not supported. Causal attention is.", {
      key: "use_bidirectional_attention",
    });
  const { attention_bias: bias } = raw;
  return {
    kind: "decoder",
    modelType,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    kvHeads: raw.num_key_value_heads,
    headDim: raw.head_dim,
    maxPositions: raw.max_position_embeddings,
    ...readCommon(file, raw),
    attention: {
      scale: raw.query_pre_attn_scalar ** -0.5,
      softcap: raw.attn_logit_softcapping,
      projections: "separate",
      queryKeyNorm: "none",
      bias,
      outputBias: bias,
    },
    mlp: {
      gate: "separate",
      activation: activationOf(file, "hidden_activation", raw.hidden_activation ?? "gelu_pytorch_tanh"),
      bias: false,
    },
    norm: { kind: "rms", eps: raw.rms_norm_eps, plusOne: true },
    normPlaces: "around",
    learnedPositions: false,
    embeddingScale: Math.fround(raw.hidden_size ** 0.5),
    logitSoftcap: raw.final_logit_softcapping,
    tieWordEmbeddings: raw.tie_word_embeddings,
    transposedWeights: false,
    names: NAMES,
    renamed: [],
  };
}

const NAMES = Object.freeze({ ...LLAMA_NAMES, mlpNorm: "pre_feedforward_layernorm" });

export const gemma2: Family = {
  modelTypes: ["gemma2"],
  known: "Gemma 2",
  read(file, json) {
    const raw = checkJson(file, Gemma2Schema, json);
    const windows = layerWindows(file, {
      layers: raw.num_hidden_layers,
      window: raw.sliding_window,
      given: raw.layer_types,
      slides: (i) => i % 2 === 0,
    });
    return {
      ...gemma(file, "gemma2", raw),
      ropes: [readRope(file, raw, { headDim: raw.head_dim })],
      layerKinds: windows.map((window) => ({ window, rope: 0 })),
    };
  },
};

function gemma3Text(file: string, json: unknown): DecoderConfig {
  const raw = checkJson(file, Gemma3Schema, json);
  const config = gemma(file, "gemma3_text", raw);
  const pattern = raw.sliding_window_pattern ?? raw._sliding_window_pattern ?? 6;
  const windows = layerWindows(file, {
    layers: raw.num_hidden_layers,
    window: raw.sliding_window,
    given: raw.layer_types,
    slides: (i) => (i + 1) % pattern !== 0,
  });
  const { head_dim: headDim } = raw;
  const global = readRope(file, raw, { headDim, layers: "full_attention", theta: 1_000_000 });
  // stretching is for the global layers; the local ones have a base of their own
  const nested = raw.rope_parameters?.sliding_attention ? { rope_parameters: raw.rope_parameters } : {};
  const local = readRope(
    file,
    { max_position_embeddings: raw.max_position_embeddings, rope_theta: raw.rope_local_base_freq, ...nested },
    { headDim, layers: "sliding_attention" },
  );
  return {
    ...config,
    attention: { ...config.attention, queryKeyNorm: "head" },
    ropes: [global, local],
    layerKinds: windows.map((window) => ({ window, rope: window === null ? 0 : 1 })),
  };
}

export const gemma3: Family = {
  modelTypes: ["gemma3_text"],
  known: "Gemma 3 text",
  read: gemma3Text,
};

const Multimodal = z.object({
  text_config: z.record(z.string(), z.unknown()),
  quantization_config: common.quantization_config,
  dtype: common.dtype,
  torch_dtype: common.torch_dtype,
  eos_token_id: common.eos_token_id,
  tie_word_embeddings: z.nullish(z.boolean()),
});

/** Gemma 3 with eyes: the text half of it. */
export const gemma3Multimodal: Family = {
  modelTypes: ["gemma3"],
  known: "the text half of Gemma 3",
  read(file, json) {
    const { text_config, ...outer } = checkJson(file, Multimodal, json);
    const known = Object.fromEntries(Object.entries(outer).filter(([, value]) => value !== undefined && value !== null));
    const config = gemma3Text(`${file}: text_config`, { ...known, ...text_config });
    return { ...config, modelType: "gemma3", renamed: MULTIMODAL_NAMES };
  },
};

/** Files name the text half in two ways; what sees is passed over. */
const MULTIMODAL_NAMES = Object.freeze([
  ["language_model.model.", "model."],
  ["language_model.lm_head.", "lm_head."],
  ["model.language_model.", "model."],
  ["vision_tower.", null],
  ["multi_modal_projector.", null],
  ["model.vision_tower.", null],
  ["model.multi_modal_projector.", null],
] as const);
