// OLMo 2 (transformers' modeling_olmo2.py): norms stand after attention and MLP, not before; queries and keys are normed over all heads at once.
import * as z from "zod/mini";
import { flag, normEps } from "../config/common-schema.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const Schema = z.object({ ...llamaKeys, rms_norm_eps: z._default(normEps, 1e-5), attention_bias: flag() });

export const olmo2: Family = {
  modelTypes: ["olmo2"],
  known: "OLMo 2",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    const config = llamaLike(file, "olmo2", raw);
    const { attention_bias: bias } = raw;
    return {
      ...config,
      normPlaces: "after",
      attention: { ...config.attention, queryKeyNorm: "row", bias, outputBias: bias },
      // what Llama calls the norm before the MLP stands after attention here
      names: { ...config.names, attentionOutNorm: "post_attention_layernorm", mlpOutNorm: "post_feedforward_layernorm" },
    };
  },
};
