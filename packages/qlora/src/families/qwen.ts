// Qwen2, Qwen2.5 and Qwen3 (transformers' modeling_qwen2.py, modeling_qwen3.py). Qwen2 has biases on queries, keys and values; Qwen3 has none, and norms queries
// and keys head by head. Both may let upper layers see a window only.
import * as z from "zod/mini";
import { flag, headCount, positionCount, size } from "../config/common-schema.ts";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";
import { layerTypes, layerWindows } from "./layer-types.ts";
import { llamaKeys, llamaLike } from "./llama-like.ts";

const keys = {
  ...llamaKeys,
  num_key_value_heads: z._default(z.nullable(headCount), 32),
  max_position_embeddings: z._default(positionCount, 32_768),
  use_sliding_window: flag(),
  sliding_window: z._default(z.nullable(size(1 << 30)), 4096),
  max_window_layers: z._default(z.int().check(z.minimum(0), z.maximum(4096)), 28),
  layer_types: layerTypes,
};
const Qwen2Schema = z.object(keys);
const Qwen3Schema = z.object({ ...keys, head_dim: z._default(headCount, 128), attention_bias: flag() });
type QwenJson = z.infer<typeof Qwen2Schema>;

function qwen(file: string, modelType: string, raw: QwenJson): DecoderConfig {
  const config = llamaLike(file, modelType, raw);
  const windows = layerWindows(file, {
    layers: config.layers,
    window: raw.use_sliding_window ? raw.sliding_window : null,
    given: raw.layer_types,
    slides: (i) => i >= raw.max_window_layers,
  });
  return { ...config, layerKinds: windows.map((window) => ({ window, rope: 0 })) };
}

export const qwen2: Family = {
  modelTypes: ["qwen2"],
  known: "Qwen2, Qwen2.5",
  read(file, json) {
    const config = qwen(file, "qwen2", checkJson(file, Qwen2Schema, json));
    return { ...config, attention: { ...config.attention, bias: true } };
  },
};

export const qwen3: Family = {
  modelTypes: ["qwen3"],
  known: "Qwen3",
  read(file, json) {
    const raw = checkJson(file, Qwen3Schema, json);
    const config = qwen(file, "qwen3", raw);
    const { attention_bias: bias } = raw;
    return { ...config, attention: { ...config.attention, queryKeyNorm: "head", bias, outputBias: bias } };
  },
};
