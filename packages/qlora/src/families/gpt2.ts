// GPT-2 (Radford et al. 2019; transformers' modeling_gpt2.py): layer norms, learned positions, one matrix for queries, keys and values, an MLP without a gate. Its
// weights are Conv1D's, [in, out]. The dropouts of its config (0.1 everywhere) are for training it from the start and are not applied.
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
  readCommon,
} from "../config/common-schema.ts";
import { UsageError } from "../error.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { LLAMA_NAMES } from "./llama-names.ts";

const Schema = z.object({
  ...common,
  n_embd: z._default(hiddenSize, 768),
  n_layer: z._default(layerCount, 12),
  n_head: z._default(headCount, 12),
  n_inner: z.nullish(intermediateSize),
  n_positions: z._default(positionCount, 1024),
  activation_function: z._default(z.string(), "gelu_new"),
  layer_norm_epsilon: z._default(normEps, 1e-5),
  scale_attn_weights: flag(true),
  scale_attn_by_inverse_layer_idx: flag(),
  add_cross_attention: flag(),
  tie_word_embeddings: flag(true),
});

export const gpt2: Family = {
  modelTypes: ["gpt2"],
  known: "GPT-2",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    for (const key of ["scale_attn_by_inverse_layer_idx", "add_cross_attention"] as const)
      if (raw[key]) throw new UsageError(file, `${key} true is not supported. Set it to false.`, { key, value: true });
    const headDim = raw.n_embd / raw.n_head;
    const scale = raw.scale_attn_weights ? headDim ** -0.5 : 1;
    return {
      kind: "decoder",
      modelType: "gpt2",
      hiddenSize: raw.n_embd,
      intermediateSize: raw.n_inner ?? 4 * raw.n_embd,
      layers: raw.n_layer,
      heads: raw.n_head,
      kvHeads: raw.n_head,
      headDim,
      maxPositions: raw.n_positions,
      ...readCommon(file, raw),
      attention: { scale, softcap: null, projections: "joined", queryKeyNorm: "none", bias: true, outputBias: true },
      mlp: { gate: "none", activation: activationOf(file, "activation_function", raw.activation_function), bias: true },
      norm: { kind: "layer", eps: raw.layer_norm_epsilon, plusOne: false },
      normPlaces: "before",
      ropes: [],
      layerKinds: [{ window: null, rope: null }],
      learnedPositions: true,
      embeddingScale: 1,
      logitSoftcap: null,
      tieWordEmbeddings: raw.tie_word_embeddings,
      transposedWeights: true,
      names: NAMES,
      renamed: RENAMED,
    };
  },
};

const NAMES = Object.freeze({
  ...LLAMA_NAMES,
  embedding: "transformer.wte",
  positions: "transformer.wpe",
  layers: "transformer.h",
  finalNorm: "transformer.ln_f",
  joined: "attn.c_attn",
  output: "attn.c_proj",
  up: "mlp.c_fc",
  down: "mlp.c_proj",
  attentionNorm: "ln_1",
  mlpNorm: "ln_2",
});

/** The first releases hold the inner model alone. */
const RENAMED = Object.freeze(["wte.", "wpe.", "h.", "ln_f."].map((from) => [from, `transformer.${from}`] as const));
