// Mistral (Jiang et al. 2023; transformers' modeling_mistral.py): a Llama whose queries see a window of keys. Versions after 0.1 have none (null).
import * as z from "zod/mini";
import { flag, headCount, positionCount, size } from "../config/common-schema.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const Schema = z.object({
  ...llamaKeys,
  num_key_value_heads: z._default(z.nullable(headCount), 8),
  max_position_embeddings: z._default(positionCount, 4096 * 32),
  sliding_window: z._default(z.nullable(size(1 << 30)), 4096),
  tie_word_embeddings: flag(),
});

export const mistral: Family = {
  modelTypes: ["mistral"],
  known: "Mistral, Zephyr",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    return { ...llamaLike(file, "mistral", raw), layerKinds: [{ window: raw.sliding_window, rope: 0 }] };
  },
};
