// SmolLM3 (transformers' modeling_smollm3.py): a Llama in which every fourth layer has no rotary positions. `no_rope_layers` holds 1 where a layer has them.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { flag, headCount, positionCount, size } from "../config/common-schema.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { layerTypes, layerWindows } from "./layer-types.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const Schema = z.object({
  ...llamaKeys,
  num_key_value_heads: z._default(z.nullable(headCount), 4),
  max_position_embeddings: z._default(positionCount, 32_768),
  tie_word_embeddings: flag(true),
  attention_bias: flag(),
  mlp_bias: flag(),
  no_rope_layers: z.nullish(z.array(z.int().check(z.minimum(0), z.maximum(1))).check(z.maxLength(4096))),
  no_rope_layer_interval: z._default(size(4096), 4),
  use_sliding_window: flag(),
  sliding_window: z.nullish(size(1 << 30)),
  layer_types: layerTypes,
});

export const smollm3: Family = {
  modelTypes: ["smollm3"],
  known: "SmolLM3",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    const config = llamaLike(file, "smollm3", raw, { theta: 2_000_000 });
    const { no_rope_layers: listed, no_rope_layer_interval: interval } = raw;
    if (listed && listed.length < config.layers)
      throw new FormatError(file, `no_rope_layers has ${listed.length} entries for ${config.layers} layers.`);
    const turned = (i: number): boolean => (listed ? listed[i] === 1 : (i + 1) % interval !== 0);
    const windows = layerWindows(file, {
      layers: config.layers,
      window: raw.sliding_window ?? null,
      given: raw.layer_types,
      slides: (i) => raw.use_sliding_window && !turned(i),
    });
    return {
      ...config,
      attention: { ...config.attention, bias: raw.attention_bias, outputBias: raw.attention_bias },
      mlp: { ...config.mlp, bias: raw.mlp_bias },
      layerKinds: windows.map((window, i) => ({ window, rope: turned(i) ? 0 : null })),
    };
  },
};
