import { DTypeError } from "@qlora-js/core";
import { describe, expect, it } from "vitest";
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { modelTensors } from "../../config/model-tensors.ts";
import { parseModelConfig } from "../../config/parse-model-config.ts";
import { UsageError } from "../../error.ts";
import type { ModelFiles } from "../model-files.ts";
import type { StoredTensor } from "../safetensors.ts";
import type { WrittenType } from "./encode-tensor.ts";
import { ggufModel } from "./gguf-model.ts";

const SIZES = { vocab_size: 64, max_position_embeddings: 32, tie_word_embeddings: true };
const LLAMA = {
  ...SIZES,
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const GEMMA2 = {
  ...LLAMA,
  model_type: "gemma2",
  head_dim: 16,
  query_pre_attn_scalar: 16,
  attn_logit_softcapping: 50,
  final_logit_softcapping: 30,
  sliding_window: 8,
  hidden_activation: "gelu_pytorch_tanh",
};
const NEOX = {
  ...SIZES,
  model_type: "gpt_neox",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  rotary_pct: 0.25,
};

const parsed = (json: object): DecoderConfig => parseModelConfig(json) as DecoderConfig;

/** A model whose elements count up from 0 in each tensor. */
function filesOf(config: DecoderConfig): ModelFiles {
  const tensors = modelTensors(config).map(({ name, shape }): [string, StoredTensor] => {
    const bytes = new Uint8Array(Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i).buffer);
    const read = async (offset = 0, length = bytes.length - offset) => bytes.slice(offset, offset + length);
    return [name, { file: "f", dtype: "F32", shape, byteLength: bytes.length, read }];
  });
  return { folder: "m", files: [], tensors: new Map(tensors), close: async () => {} };
}

function made(json: object, type: WrittenType = "F32", change: Partial<DecoderConfig> = {}) {
  const config = { ...parsed(json), ...change };
  const { metadata, tensors, warnings } = ggufModel({ name: "m", config, files: filesOf(config), text: undefined }, type);
  const value = (key: string): unknown => {
    const found = metadata.get(key);
    return found && ("values" in found ? found.values : found.value);
  };
  const values = async (name: string): Promise<number[]> => {
    const out: number[] = [];
    for await (const piece of tensors.find((t) => t.name === name)!.pieces()) out.push(...new Float32Array(piece.slice().buffer));
    return out;
  };
  return { value, values, warnings, tensors: new Map(tensors.map((t) => [t.name, t])) };
}

describe("types of tensors", () => {
  it("are the one asked for, F32 for vectors", () => {
    const { tensors, value } = made(LLAMA, "Q8_0");
    expect(tensors.get("blk.0.ffn_up.weight")!.type).toBe("Q8_0");
    expect(tensors.get("token_embd.weight")!.type).toBe("Q8_0");
    expect(tensors.get("blk.1.ffn_norm.weight")!.type).toBe("F32");
    expect(value("general.file_type")).toBe(7);
  });

  it("are Q8_0 for tables where matrices are Q4_0, and F16 where a row is not whole blocks", () => {
    const { tensors } = made({ ...LLAMA, intermediate_size: 80 }, "Q4_0");
    expect(tensors.get("token_embd.weight")!.type).toBe("Q8_0");
    expect(tensors.get("blk.0.ffn_up.weight")!.type).toBe("Q4_0");
    expect(tensors.get("blk.0.ffn_down.weight")!.type).toBe("F16"); // rows of 80
  });

  it("leave a tied head out, but where llama.cpp asks for one", () => {
    expect(made(LLAMA).tensors.has("output.weight")).toBe(false);
    expect(made({ ...LLAMA, tie_word_embeddings: false }).tensors.has("output.weight")).toBe(true);
    const { tensors } = made(NEOX);
    expect(tensors.get("output.weight")!.pieces).toBe(tensors.get("token_embd.weight")!.pieces);
  });
});

describe("numbers", () => {
  it("of queries and keys have the halves of each head as neighbours", async () => {
    const { values } = made(LLAMA);
    const [query, key] = [await values("blk.0.attn_q.weight"), await values("blk.0.attn_k.weight")];
    const firsts = (all: readonly number[]) => all.filter((_, i) => i % 64 === 0).map((x) => x / 64);
    const pairs = Array.from({ length: 16 }, (_, row) => Math.floor(row / 2) + 8 * (row % 2));
    expect(firsts(query)).toEqual([0, 1, 2, 3].flatMap((head) => pairs.map((row) => 16 * head + row)));
    expect(firsts(key)).toEqual([0, 1].flatMap((head) => pairs.map((row) => 16 * head + row)));
    expect(firsts(await values("blk.0.attn_v.weight"))).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  it("of GPT-NeoX's joined projection have all queries before all keys", async () => {
    const bias = await made(NEOX).values("blk.0.attn_qkv.bias");
    const part = (t: number) => [0, 1, 2, 3].flatMap((head) => Array.from({ length: 16 }, (_, i) => 48 * head + 16 * t + i));
    expect(bias).toEqual([...part(0), ...part(1), ...part(2)]);
  });

  it("of Gemma's norms are 1 more, those of its matrices are not", async () => {
    const { values } = made(GEMMA2);
    expect((await values("blk.0.attn_norm.weight")).slice(0, 3)).toEqual([1, 2, 3]);
    expect((await values("blk.0.ffn_up.weight")).slice(0, 3)).toEqual([0, 1, 2]);
  });

  it("that are no floats are refused", async () => {
    const config = parsed(LLAMA);
    const files = filesOf(config);
    const name = "model.layers.0.mlp.up_proj.weight";
    const ints: ModelFiles = { ...files, tensors: new Map([...files.tensors, [name, { ...files.tensors.get(name)!, dtype: "I64" }]]) };
    const { tensors } = ggufModel({ name: "m", config, files: ints, text: undefined }, "F16");
    const reading = async () => {
      for await (const _ of tensors.find((t) => t.name === "blk.0.ffn_up.weight")!.pieces()) expect.unreachable();
    };
    await expect(reading()).rejects.toThrow(DTypeError);
  });
});

describe("metadata", () => {
  it("has the sizes of the model", () => {
    const { value } = made(LLAMA);
    const keys = [
      "block_count",
      "context_length",
      "embedding_length",
      "feed_forward_length",
      "attention.head_count",
      "attention.head_count_kv",
    ];
    expect(keys.map((key) => value(`llama.${key}`))).toEqual([2, 32, 64, 96, 4, 2]);
    expect(value("llama.rope.dimension_count")).toBe(16);
    expect(value("general.architecture")).toBe("llama");
  });

  it.each([
    ["linear", { rope_type: "linear", factor: 4 }, { "rope.scaling.type": "linear", "rope.scaling.factor": 4 }],
    [
      "YaRN's",
      { rope_type: "yarn", factor: 4, original_max_position_embeddings: 8 },
      { "rope.scaling.type": "yarn", "rope.scaling.original_context_length": 8, "rope.scaling.yarn_beta_fast": 32 },
    ],
  ])("says how rotary positions are stretched: %s", (_, rope_scaling, expected) => {
    const { value } = made({ ...LLAMA, rope_scaling });
    for (const [key, x] of Object.entries(expected)) expect(value(`llama.${key}`)).toBe(x);
  });

  it("has Llama 3's scaling as a tensor of divisors, between 1 and the factor", async () => {
    const rope_scaling = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
    const { values } = made({ ...LLAMA, rope_scaling });
    const divisors = await values("rope_freqs.weight");
    expect(divisors).toHaveLength(8);
    expect([divisors[0], divisors.at(-1)]).toEqual([1, 8]);
    expect(divisors.toSorted((a, b) => a - b)).toEqual(divisors);
  });

  it("names the windowed layers of a Gemma where they are not the usual ones", () => {
    expect(made(GEMMA2).value("gemma2.attention.sliding_window_pattern")).toBeUndefined();
    const odd = { ...GEMMA2, layer_types: ["full_attention", "sliding_attention"] };
    expect(made(odd).value("gemma2.attention.sliding_window_pattern")).toEqual([false, true]);
    expect(made(GEMMA2).value("gemma2.attention.sliding_window")).toBe(8);
  });
});

describe("what llama.cpp would compute otherwise", () => {
  const attention = parsed(LLAMA).attention;
  const refused: [string, object, Partial<DecoderConfig>][] = [
    ["a scale of attention of its own", LLAMA, { attention: { ...attention, scale: 1 } }],
    ["a cap on attention", LLAMA, { attention: { ...attention, softcap: 50 } }],
    ["an activation of its own", LLAMA, { mlp: { ...parsed(LLAMA).mlp, activation: "gelu" } }],
    ["partly turned heads", LLAMA, { ropes: [{ ...parsed(LLAMA).ropes[0]!, size: 8 }] }],
    ["stretching by length", LLAMA, { ropes: [{ ...parsed(LLAMA).ropes[0]!, scaling: { kind: "dynamic", factor: 2, maxPositions: 32 } }] }],
    ["a Gemma 2 without caps", GEMMA2, { logitSoftcap: null }],
    ["another kind of model", LLAMA, { modelType: "mamba" }],
  ];
  it.each(refused)("is refused: %s", (_, json, change) => {
    expect(() => made(json, "F16", change)).toThrow(UsageError);
  });

  it("only beyond some length is told", () => {
    const mistral = { ...LLAMA, model_type: "mistral", sliding_window: 8 };
    expect(made(mistral).warnings).toEqual([expect.stringContaining("beyond 8 tokens")]);
    expect(made({ ...mistral, sliding_window: 32 }).warnings).toEqual([]);
    expect(made(LLAMA).warnings).toEqual([]);
  });
});
