// GPT-NeoX and Pythia (transformers' modeling_gpt_neox.py): attention and MLP read the same input and are added together; rotary positions turn a quarter of
// each head; one matrix gives query, key and value of each head in turn. The head is `embed_out` in files.
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
  positive,
  readCommon,
  rotary,
} from "../config/common-schema.ts";
import { readRope } from "../config/read-rope.ts";
import { UsageError } from "../error.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { LLAMA_NAMES } from "./llama-names.ts";

const Schema = z.object({
  ...common,
  ...rotary,
  hidden_size: z._default(hiddenSize, 6144),
  intermediate_size: z._default(intermediateSize, 24_576),
  num_hidden_layers: z._default(layerCount, 44),
  num_attention_heads: z._default(headCount, 64),
  hidden_act: z._default(z.string(), "gelu"),
  hidden_dropout: z.nullish(z.number()),
  layer_norm_eps: z._default(normEps, 1e-5),
  rotary_pct: z.nullish(positive.check(z.maximum(1))),
  rotary_emb_base: z.nullish(positive),
  use_parallel_residual: flag(true),
  attention_bias: flag(true),
  tie_word_embeddings: flag(),
});

export const gptNeox: Family = {
  modelTypes: ["gpt_neox"],
  known: "GPT-NeoX, Pythia",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    if (raw.hidden_dropout)
      throw new UsageError(file, `hidden_dropout ${raw.hidden_dropout} is not supported. Set it to 0.`, { key: "hidden_dropout" });
    const headDim = raw.hidden_size / raw.num_attention_heads;
    const rope = {
      ...raw,
      rope_theta: raw.rope_theta ?? raw.rotary_emb_base,
      partial_rotary_factor: raw.partial_rotary_factor ?? raw.rotary_pct ?? 0.25,
    };
    const { attention_bias: bias } = raw;
    return {
      kind: "decoder",
      modelType: "gpt_neox",
      hiddenSize: raw.hidden_size,
      intermediateSize: raw.intermediate_size,
      layers: raw.num_hidden_layers,
      heads: raw.num_attention_heads,
      kvHeads: raw.num_attention_heads,
      headDim,
      maxPositions: raw.max_position_embeddings,
      ...readCommon(file, raw),
      attention: { scale: headDim ** -0.5, softcap: null, projections: "joined by head", queryKeyNorm: "none", bias, outputBias: bias },
      mlp: { gate: "none", activation: activationOf(file, "hidden_act", raw.hidden_act), bias: true },
      norm: { kind: "layer", eps: raw.layer_norm_eps, plusOne: false },
      normPlaces: raw.use_parallel_residual ? "parallel" : "before",
      ropes: Number.isInteger(headDim) ? [readRope(file, rope, { headDim })] : [],
      layerKinds: [{ window: null, rope: 0 }],
      learnedPositions: false,
      embeddingScale: 1,
      logitSoftcap: null,
      tieWordEmbeddings: raw.tie_word_embeddings,
      transposedWeights: false,
      names: NAMES,
      renamed: [],
    };
  },
};

const NAMES = Object.freeze({
  ...LLAMA_NAMES,
  embedding: "gpt_neox.embed_in",
  layers: "gpt_neox.layers",
  finalNorm: "gpt_neox.final_layer_norm",
  head: "embed_out",
  joined: "attention.query_key_value",
  output: "attention.dense",
  up: "mlp.dense_h_to_4h",
  down: "mlp.dense_4h_to_h",
});
