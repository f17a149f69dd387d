// Llama (Touvron et al. 2023; transformers' modeling_llama.py): SmolLM2, TinyLlama, Llama 2 and 3 and their fine-tunes.
import * as z from "zod/mini";
import { flag } from "../config/common-schema.ts";
import { UsageError } from "../error.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const Schema = z.object({ ...llamaKeys, attention_bias: flag(), mlp_bias: flag(), rope_interleaved: flag() });

export const llama: Family = {
  modelTypes: ["llama"],
  known: "SmolLM2, Llama 2, Llama 3 and their fine-tunes",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    if (raw.rope_interleaved)
      throw new UsageError(file, "rope_interleaved true is not supported. Rotary halves, as transformers has them, are.", {
        key: "rope_interleaved",
        value: true,
      });
    const config = llamaLike(file, "llama", raw);
    return {
      ...config,
      attention: { ...config.attention, bias: raw.attention_bias, outputBias: raw.attention_bias },
      mlp: { ...config.mlp, bias: raw.mlp_bias },
    };
  },
};
