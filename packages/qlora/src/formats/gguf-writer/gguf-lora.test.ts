import { describe, expect, test } from "vitest";
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { linearModules } from "../../config/model-parts.ts";
import { parseModelConfig } from "../../config/parse-model-config.ts";
import { UsageError } from "../../error.ts";
import { memoryFolder } from "../folder.ts";
import { openPeftAdapter, type PeftAdapter } from "../peft-adapter.ts";
import { encodeSafetensors } from "../safetensors-layout.ts";
import { ggufLora } from "./gguf-lora.ts";

const CONFIG = {
  model_type: "llama",
  vocab_size: 16,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
};
const config = parseModelConfig(CONFIG) as DecoderConfig;
const DOWN = "model.layers.0.mlp.down_proj";
const QUERY = "model.layers.1.self_attn.q_proj";

/** An adapter on two modules; elements count up. */
async function adapter(settings: object, ranks: readonly [number, number] = [2, 2]): Promise<PeftAdapter> {
  const counting = (rows: number, columns: number) => ({
    dtype: "F32" as const,
    shape: [rows, columns],
    data: new Uint8Array(Float32Array.from({ length: rows * columns }, (_, i) => i + 1).buffer),
  });
  const weights = await encodeSafetensors([
    { name: `base_model.model.${DOWN}.lora_A.weight`, ...counting(ranks[0], 12) },
    { name: `base_model.model.${DOWN}.lora_B.weight`, ...counting(8, ranks[0]) },
    { name: `base_model.model.${QUERY}.lora_A.weight`, ...counting(ranks[1], 8) },
    { name: `base_model.model.${QUERY}.lora_B.weight`, ...counting(8, ranks[1]) },
  ]);
  const text = JSON.stringify({ peft_type: "LORA", r: 2, lora_alpha: 6, target_modules: [DOWN, QUERY], ...settings });
  const files = new Map([
    ["adapter_config.json", new TextEncoder().encode(text)],
    ["adapter_model.safetensors", weights],
  ]);
  return openPeftAdapter(memoryFolder(files), linearModules(config));
}

async function made(settings: object, ranks?: readonly [number, number]) {
  const { metadata, tensors } = ggufLora("mine", config, await adapter(settings, ranks));
  const values = new Map<string, number[]>();
  for (const { name, pieces } of tensors) {
    const found: number[] = [];
    for await (const piece of pieces()) found.push(...new Float32Array(piece.slice().buffer));
    values.set(name, found);
  }
  return { metadata, tensors, values };
}

const counted = (n: number, factor = 1): number[] => Array.from({ length: n }, (_, i) => (i + 1) * factor);

describe("ggufLora", () => {
  test("refuses what llama.cpp's adapters cannot hold", async () => {
    const stored = await adapter({});
    const tensor = stored.modules.get(QUERY)!.a;
    const dora = { ...stored, settings: { ...stored.settings, useDora: true } };
    expect(() => ggufLora("mine", config, dora)).toThrow(UsageError);
    expect(() => ggufLora("mine", config, { ...stored, whole: new Map([["lm_head.weight", tensor]]) })).toThrow(
      /holds lm_head\.weight whole/,
    );
  });

  test("names modules as llama.cpp does, with shapes [rank, in] and [out, rank]", async () => {
    const { metadata, tensors } = await made({});
    expect(tensors.map(({ name, shape, type }) => [name, shape, type])).toEqual([
      ["blk.0.ffn_down.weight.lora_a", [2, 12], "F32"],
      ["blk.0.ffn_down.weight.lora_b", [8, 2], "F32"],
      ["blk.1.attn_q.weight.lora_a", [2, 8], "F32"],
      ["blk.1.attn_q.weight.lora_b", [8, 2], "F32"],
    ]);
    expect(metadata.get("general.type")).toEqual({ type: "string", value: "adapter" });
    expect(metadata.get("adapter.type")).toEqual({ type: "string", value: "lora" });
    expect(metadata.get("adapter.lora.alpha")).toEqual({ type: "float32", value: 6 });
  });

  test("puts the rows of the query's B in the order of the weight's: halves of a head become neighbours", async () => {
    const { values } = await made({});
    expect(values.get("blk.0.ffn_down.weight.lora_b")).toEqual(counted(16));
    expect(values.get("blk.1.attn_q.weight.lora_a")).toEqual(counted(16));
    // rows of head 0: 0, 2, 1, 3; of head 1: 4, 6, 5, 7
    expect(values.get("blk.1.attn_q.weight.lora_b")).toEqual([1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16]);
  });

  test("says rsLoRA's scale by alpha, which llama.cpp divides by the rank", async () => {
    const { metadata, values } = await made({ use_rslora: true });
    expect(metadata.get("adapter.lora.alpha")).toEqual({ type: "float32", value: (6 / Math.SQRT2) * 2 });
    expect(values.get("blk.0.ffn_down.weight.lora_b")).toEqual(counted(16));
  });

  test("puts what patterns of ranks and alphas change into B", async () => {
    const patterns = { rank_pattern: { q_proj: 4 }, alpha_pattern: { q_proj: 3 } };
    const { metadata, values } = await made(patterns, [2, 4]);
    expect(metadata.get("adapter.lora.alpha")).toEqual({ type: "float32", value: 6 });
    // here 3 / 4; llama.cpp would take 6 / 4
    expect(values.get("blk.1.attn_q.weight.lora_b")!.slice(0, 4)).toEqual([0.5, 1, 1.5, 2]);
    expect(values.get("blk.0.ffn_down.weight.lora_b")).toEqual(counted(16));
  });

  test("refuses a model that llama.cpp computes otherwise", async () => {
    const stored = await adapter({});
    const odd = { ...config, attention: { ...config.attention, scale: 1 } };
    expect(() => ggufLora("mine", odd, stored)).toThrow(UsageError);
    expect(() => ggufLora("mine", { ...config, modelType: "t5" }, stored)).toThrow(
      expect.objectContaining({ fields: { modelType: "t5" } }),
    );
  });
});
