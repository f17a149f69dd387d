import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { memoryFolder } from "../formats/folder.ts";
import { openFolder } from "../formats/node-folder.ts";
import { fuzzCases } from "../fuzz-cases.fixture.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import { readModelConfig } from "./model-config.ts";
import { parseModelConfig } from "./parse-model-config.ts";

const families = fileURLToPath(new URL("../../../../../shared/reference/families/", import.meta.url));

const least = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 256,
};
const parse = (more: object = {}, generation: unknown = {}) =>
  parseModelConfig({ ...least, ...more }, { file: "m/config.json", generation }) as DecoderConfig;

describe("values", () => {
  test("that are not given are transformers' own", () => {
    expect(parse()).toMatchObject({
      modelType: "llama",
      hiddenSize: 64,
      intermediateSize: 96,
      layers: 2,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      vocabSize: 256,
      maxPositions: 2048,
      attention: { scale: 0.25, softcap: null, projections: "separate", queryKeyNorm: "none", bias: false, outputBias: false },
      mlp: { gate: "separate", activation: "silu", bias: false },
      norm: { kind: "rms", eps: 1e-6, plusOne: false },
      normPlaces: "before",
      ropes: [{ theta: 10_000, size: 16, scaling: { kind: "none" } }],
      layerKinds: [{ window: null, rope: 0 }],
      tieWordEmbeddings: false,
      bosTokenId: undefined,
      eosTokenIds: [],
      padTokenId: undefined,
      dtype: undefined,
    });
  });

  test("that are null are as if not given", () => {
    const nulls = {
      num_key_value_heads: null,
      head_dim: null,
      rope_scaling: null,
      rope_theta: null,
      bos_token_id: null,
      torch_dtype: null,
      attention_bias: null,
      quantization_config: null,
    };
    expect(parse(nulls)).toEqual(parse());
  });

  test("may differ from what others imply: head width, key heads, biases, ties", () => {
    const config = parse({
      head_dim: 32,
      num_key_value_heads: 2,
      attention_bias: true,
      mlp_bias: true,
      tie_word_embeddings: true,
      hidden_act: "swish",
    });
    expect(config).toMatchObject({
      headDim: 32,
      kvHeads: 2,
      attention: { scale: 32 ** -0.5, bias: true, outputBias: true },
      mlp: { bias: true, activation: "silu" },
      tieWordEmbeddings: true,
    });
  });

  test("are frozen", () => {
    const config = parse();
    expect([config, config.eosTokenIds, config.ropes, config.ropes[0]!.scaling].every(Object.isFrozen)).toBe(true);
  });

  test.each([
    [{ eos_token_id: 2 }, {}, [2]],
    [{ eos_token_id: [2, 5] }, {}, [2, 5]],
    [{ eos_token_id: 2 }, { eos_token_id: [3, 2, 4] }, [2, 3, 4]],
    [{ eos_token_id: null }, { eos_token_id: 7 }, [7]],
  ])("end tokens %j and, to generate, %j are %j", (given, generation, expected) => {
    expect(parse(given, generation).eosTokenIds).toEqual(expected);
  });

  test("of tokens that a model lacks may be -1", () => {
    expect(parse({ pad_token_id: -1, bos_token_id: -1 })).toMatchObject({ padTokenId: undefined, bosTokenId: undefined });
  });

  test.each([
    ["float32", "f32"],
    ["float16", "f16"],
    ["bfloat16", "bf16"],
    ["auto", undefined],
  ])("of dtype %s are %s in both words", (word, dtype) => {
    expect([parse({ dtype: word }).dtype, parse({ torch_dtype: word }).dtype]).toEqual([dtype, dtype]);
  });
});

describe("rotary positions", () => {
  const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
  const expected = { kind: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 32 };

  test.each([
    ["v4, type", { rope_theta: 5e5, rope_scaling: { type: "llama3", ...llama3 } }],
    ["v4, rope_type", { rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...llama3 } }],
    ["v5", { rope_parameters: { rope_type: "llama3", rope_theta: 5e5, ...llama3 } }],
    ["v5 with the base beside it", { rope_theta: 5e5, rope_parameters: { rope_type: "llama3", ...llama3 } }],
    [
      "the original length beside them",
      {
        rope_theta: 5e5,
        original_max_position_embeddings: 32,
        rope_scaling: { rope_type: "llama3", ...llama3, original_max_position_embeddings: 9 },
      },
    ],
  ])("of Llama 3 are read from %s", (_, given) => {
    expect(parse(given)).toMatchObject({ ropes: [{ theta: 5e5, scaling: expected }] });
  });

  test("of Llama 3 take the model's length where the original one is not given", () => {
    const { original_max_position_embeddings: _, ...rest } = llama3;
    expect(parse({ max_position_embeddings: 99, rope_scaling: { rope_type: "llama3", ...rest } }).ropes[0]!.scaling).toMatchObject({
      originalMaxPositions: 99,
    });
  });

  test("are stretched linearly, or not at all", () => {
    expect(parse({ rope_scaling: { type: "linear", factor: 2 } }).ropes[0]!.scaling).toEqual({ kind: "linear", factor: 2 });
    expect(parse({ rope_parameters: { rope_type: "default", rope_theta: 7 } })).toMatchObject({
      ropes: [{ theta: 7, scaling: { kind: "none" } }],
    });
    expect(parse({ rope_scaling: {}, rope_theta: 7 })).toMatchObject({ ropes: [{ theta: 7, scaling: { kind: "none" } }] });
  });
});

describe("refuses by name, as the user's choice,", () => {
  test.each([
    [{ model_type: "mamba" }, /model_type "mamba" is not supported\. Supported: llama/],
    [{ model_type: { a: 1 } }, /model_type/],
    [{ hidden_act: "gelu" }, /hidden_act "gelu"/],
    [{ rope_scaling: { rope_type: "proportional", factor: 2 } }, /rope type "proportional" is not supported/],
    [{ rope_scaling: { type: 3 } }, /rope type 3/],
    [{ rope_parameters: { full_attention: { rope_type: "default" } } }, /"full_attention"/],
    [{ rope_interleaved: true }, /rope_interleaved/],
    [{ quantization_config: { quant_method: "gptq", bits: 4 } }, /quantized by "gptq" are not read/],
    [{ quantization_config: { load_in_8bit: true } }, /8-bit weights of bitsandbytes/],
    [{ attention_dropout: 0.1 }, /attention_dropout 0\.1/],
    [{ is_encoder_decoder: true }, /is_encoder_decoder/],
    [{ dtype: "float8_e4m3fn" }, /dtype "float8_e4m3fn"/],
    [{ torch_dtype: "toString" }, /dtype "toString"/],
  ])("%j", (given, message) => {
    expect(() => parse(given)).toThrow(UsageError);
    expect(() => parse(given)).toThrow(message);
  });
});

describe("refuses as damaged", () => {
  test.each([
    [{ hidden_size: undefined }, /m\/config\.json: "hidden_size" is missing/],
    [{ model_type: undefined }, /"model_type" is missing/],
    [{ hidden_size: "64" }, /"hidden_size" is "64"/],
    [{ hidden_size: 64.5 }, /"hidden_size" is 64\.5/],
    [{ num_hidden_layers: 0 }, /"num_hidden_layers" is 0/],
    [{ num_hidden_layers: 1e9 }, /"num_hidden_layers" is 1000000000/],
    [{ vocab_size: 1e12 }, /"vocab_size" is/],
    [{ rms_norm_eps: -1 }, /"rms_norm_eps" is -1/],
    [{ num_attention_heads: 5 }, /hidden_size 64 cannot be divided among 5 heads/],
    [{ head_dim: 15 }, /would turn 15 of 15 dimensions/],
    [{ num_key_value_heads: 3 }, /4 is not a multiple of num_key_value_heads 3/],
    [{ tie_word_embeddings: "yes" }, /"tie_word_embeddings" is "yes"/],
    [{ rope_theta: -1 }, /"rope_theta" is -1/],
    [{ rope_scaling: "linear" }, /"rope_scaling" is "linear"/],
    [{ rope_scaling: { rope_type: "linear" } }, /"factor" is missing/],
    [
      { rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 1 } },
      /high_freq_factor 1 must be above low_freq_factor 4/,
    ],
    [{ eos_token_id: 256 }, /token 256 lies outside the vocabulary of 256/],
    [{ eos_token_id: "</s>" }, /"eos_token_id" is/],
  ])("%j", (given, message) => {
    expect(() => parse(given)).toThrow(FormatError);
    expect(() => parse(given)).toThrow(message);
  });

  test("the wrong generation_config.json, by its name", () => {
    expect(() => parse({}, { eos_token_id: "x" })).toThrow(/^m\/generation_config\.json: "eos_token_id"/);
  });

  test.each([[null], [[]], [3], ["x"]])("%j in place of an object", (json) => {
    expect(() => parseModelConfig(json)).toThrow(FormatError);
  });

  test("or refuses, or reads, any JSON", () => {
    const keys = [
      ...Object.keys(least),
      "rope_scaling",
      "rope_parameters",
      "head_dim",
      "eos_token_id",
      "dtype",
      "quantization_config",
      "num_key_value_heads",
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue(), { maxKeys: 3 }), (changes) => {
        try {
          expect(parse(changes).modelType).toBe("llama");
        } catch (error) {
          expect(error instanceof FormatError || error instanceof UsageError).toBe(true);
        }
      }),
      { numRuns: fuzzCases(1000) },
    );
  });
});

describe("a folder", () => {
  const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));

  test("gives its config, with the end tokens of generation_config.json", async () => {
    const files = new Map([
      ["config.json", bytes({ ...least, eos_token_id: 1 })],
      ["generation_config.json", bytes({ eos_token_id: [1, 2] })],
    ]);
    expect((await readModelConfig(memoryFolder(files))).eosTokenIds).toEqual([1, 2]);
  });

  test("without config.json is the user's error, which says what it holds", async () => {
    const reading = readModelConfig(memoryFolder(new Map([["model.safetensors", new Uint8Array(0)]]), "m"));
    await expect(reading).rejects.toThrow(UsageError);
    await expect(reading).rejects.toThrow(/^m: has no config\.json.*It holds model\.safetensors/);
  });

  test.each([
    ["text that is not JSON", new TextEncoder().encode("{"), /is not JSON/],
    ["bytes that are not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), /is not JSON/],
    ["more than any config", new Uint8Array(5e6), /5000000 bytes/],
  ])("with %s is refused", async (_, content, message) => {
    const reading = readModelConfig(memoryFolder(new Map([["config.json", content]])));
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(message);
  });
});

describe.skipIf(!existsSync(families))("tiny models of transformers 5 (skipped without ../shared/reference)", () => {
  const all = ["mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2", "gpt_neox", "smollm3", "olmo2", "t5", "t5_v10"];
  test.each(all)("%s is the same config in the words of versions 4 and 5", async (family) => {
    const folder = await openFolder(families + family);
    expect(await readModelConfig(folder)).toEqual(await readModelConfig(folder, "config_hub.json"));
  });

  test.each(["llama", "llama_tied_rope3"])("%s is the same config in the words of versions 4 and 5", async (family) => {
    const folder = await openFolder(families + family);
    const config = (await readModelConfig(folder)) as DecoderConfig;
    expect(config).toEqual(await readModelConfig(folder, "config_hub.json"));
    expect(config).toMatchObject({
      hiddenSize: 64,
      intermediateSize: 96,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      vocabSize: 256,
      maxPositions: 64,
      dtype: "f32",
    });
    expect(config.ropes[0]!.scaling.kind).toBe(family === "llama" ? "none" : "llama3");
  });

  test("the 4-bit copy says how it is quantized", async () => {
    const config = await readModelConfig(await openFolder(`${families}llama/bnb4`));
    expect(config.quantization).toEqual({ format: "nf4", doubleQuant: true });
  });
});
