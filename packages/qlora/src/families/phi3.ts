// Phi-3, Phi-3.5 and Phi-4-mini (transformers' modeling_phi3.py): a Llama whose queries, keys and values come from one matrix, and gate and up from another.
import * as z from "zod/mini";
import { normEps, positionCount, size } from "../config/common-schema.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const Schema = z.object({
  ...llamaKeys,
  rms_norm_eps: z._default(normEps, 1e-5),
  max_position_embeddings: z._default(positionCount, 4096),
  original_max_position_embeddings: z._default(positionCount, 4096),
  sliding_window: z.nullish(size(1 << 30)),
});

export const phi3: Family = {
  modelTypes: ["phi3"],
  known: "Phi-3, Phi-3.5, Phi-4-mini",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    const config = llamaLike(file, "phi3", raw);
    return {
      ...config,
      attention: { ...config.attention, projections: "joined" },
      mlp: { ...config.mlp, gate: "joined" },
      layerKinds: [{ window: raw.sliding_window ?? null, rope: 0 }],
    };
  },
};
