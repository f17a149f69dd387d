import { expect, test } from "vitest";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { linearModules } from "../config/model-parts.ts";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { UsageError } from "../error.ts";
import { memoryFolder } from "./folder.ts";
import { mlxAdapter } from "./mlx-adapter.ts";
import { openPeftAdapter, type PeftAdapter } from "./peft-adapter.ts";
import { encodeSafetensors } from "./safetensors-layout.ts";

const config = parseModelConfig({
  model_type: "llama",
  vocab_size: 16,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 3,
  num_attention_heads: 1,
  max_position_embeddings: 16,
}) as DecoderConfig;
const UP = "model.layers.1.mlp.up_proj";
const VALUE = "model.layers.2.self_attn.v_proj";

async function adapter(settings: object): Promise<PeftAdapter> {
  const half = (name: string, rows: number, columns: number) => ({
    name: `base_model.model.${name}.weight`,
    dtype: "F32" as const,
    shape: [rows, columns],
    data: new Uint8Array(Float32Array.from({ length: rows * columns }, (_, i) => i).buffer),
  });
  const weights = await encodeSafetensors([
    half(`${UP}.lora_A`, 2, 4),
    half(`${UP}.lora_B`, 6, 2),
    half(`${VALUE}.lora_A`, 2, 4),
    half(`${VALUE}.lora_B`, 4, 2),
  ]);
  const text = { peft_type: "LORA", r: 2, lora_alpha: 8, target_modules: [UP, VALUE], base_model_name_or_path: "org/base", ...settings };
  const files = new Map([
    ["adapter_config.json", new TextEncoder().encode(JSON.stringify(text))],
    ["adapter_model.safetensors", weights],
  ]);
  return openPeftAdapter(memoryFolder(files), linearModules(config));
}

test("matrices are turned, the scale is alpha / rank, and keys are named within a layer", async () => {
  const { tensors, config: text } = mlxAdapter(config, await adapter({ lora_dropout: 0.1 }));
  expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
    [`${UP}.lora_a`, [4, 2]],
    [`${UP}.lora_b`, [2, 6]],
    [`${VALUE}.lora_a`, [4, 2]],
    [`${VALUE}.lora_b`, [2, 4]],
  ]);
  const [a] = tensors;
  const bytes = typeof a!.data === "function" ? await a!.data() : a!.data;
  expect([...new Float32Array(bytes.slice().buffer)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
  expect(JSON.parse(text)).toEqual({
    fine_tune_type: "lora",
    model: "org/base",
    num_layers: 3,
    lora_parameters: { rank: 2, scale: 4, dropout: 0.1, keys: ["mlp.up_proj", "self_attn.v_proj"] },
  });
});

test("what a pattern of alphas changes goes into lora_b", async () => {
  const { tensors } = mlxAdapter(config, await adapter({ alpha_pattern: { v_proj: 2 } }));
  const last = tensors.at(-1)!.data;
  const bytes = typeof last === "function" ? await last() : last;
  expect([...new Float32Array(bytes.slice().buffer)]).toEqual([0, 2, 4, 6, 1, 3, 5, 7].map((x) => x / 4));
});

test("a model whose modules MLX names otherwise is refused", async () => {
  const stored = await adapter({});
  const other = { ...config, modelType: "gpt2", names: { ...config.names, layers: "transformer.h" } };
  expect(() => mlxAdapter(other, stored)).toThrow(UsageError);
});
