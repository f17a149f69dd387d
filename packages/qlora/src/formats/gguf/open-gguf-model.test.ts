import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkModelTensors } from "../../config/model-tensors.ts";
import { parseModelConfig } from "../../config/parse-model-config.ts";
import { UsageError } from "../../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../../fuzz-cases.fixture.ts";
import { Tokenizer } from "../../text/tokenizer.ts";
import { bytesSource } from "../byte-source.ts";
import { type FixtureEntry, type FixtureTensor, ggufBytes } from "./gguf.fixture.ts";
import { openGgufModel } from "./open-gguf-model.ts";

const tensor = (name: string, shape: number[], type: "F32" | "Q8_0" | "IQ4_NL" = "F32"): FixtureTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = { F32: 4 * count, Q8_0: (34 * count) / 32, IQ4_NL: (18 * count) / 32 }[type];
  return { name, type, shape, data: Uint8Array.from({ length: bytes }, (_, i) => (i * 7) % 61) };
};

const ENTRIES: readonly FixtureEntry[] = [
  ["general.architecture", "string", "llama"],
  ["llama.block_count", "uint32", 1],
  ["llama.context_length", "uint32", 64],
  ["llama.embedding_length", "uint32", 32],
  ["llama.feed_forward_length", "uint32", 64],
  ["llama.attention.head_count", "uint32", 4],
  ["llama.attention.head_count_kv", "uint32", 2],
  ["llama.attention.layer_norm_rms_epsilon", "float32", 1e-5],
  ["llama.rope.freq_base", "float32", 500_000],
];
const TENSORS: readonly FixtureTensor[] = [
  tensor("token_embd.weight", [3, 32], "Q8_0"),
  tensor("output_norm.weight", [32]),
  ...["attn_norm", "ffn_norm"].map((name) => tensor(`blk.0.${name}.weight`, [32])),
  ...["attn_q", "attn_output"].map((name) => tensor(`blk.0.${name}.weight`, [32, 32], "Q8_0")),
  ...["attn_k", "attn_v"].map((name) => tensor(`blk.0.${name}.weight`, [16, 32], "Q8_0")),
  ...["ffn_gate", "ffn_up"].map((name) => tensor(`blk.0.${name}.weight`, [64, 32], "Q8_0")),
  tensor("blk.0.ffn_down.weight", [32, 64], "Q8_0"),
];
const TOKENIZER: readonly FixtureEntry[] = [
  ["tokenizer.ggml.model", "string", "llama"],
  ["tokenizer.ggml.tokens", ["string"], ["<unk>", "<s>", "a"]],
  ["tokenizer.ggml.scores", ["float32"], [0, 0, -1]],
  ["tokenizer.ggml.token_type", ["int32"], [2, 3, 1]],
  ["tokenizer.ggml.bos_token_id", "uint32", 1],
];

const bytesOf = (entries: readonly FixtureEntry[], tensors = TENSORS) => ggufBytes({ entries, tensors });
const open = (entries: readonly FixtureEntry[], tensors?: readonly FixtureTensor[], options = {}) =>
  openGgufModel(bytesSource(bytesOf(entries, tensors), "f.gguf"), options);
const changed = (key: string, ...entry: [] | [FixtureEntry[1], unknown]): FixtureEntry[] => [
  ...ENTRIES.filter(([name]) => name !== key),
  ...(entry.length === 0 ? [] : [[key, ...entry] as const]),
];
const configOf = async (...given: Parameters<typeof open>) => (await open(...given)).config;

describe("a model", () => {
  test("is one whose config asks for the tensors that are there", async () => {
    const { config, files } = await open([...ENTRIES, ...TOKENIZER]);
    const parsed = parseModelConfig(config);
    expect(parsed).toMatchObject({
      modelType: "llama",
      heads: 4,
      kvHeads: 2,
      headDim: 8,
      vocabSize: 3,
      tieWordEmbeddings: true,
      bosTokenId: 1,
    });
    expect(parsed).toHaveProperty("norm.eps", 1e-5);
    checkModelTensors(parsed, files);
    expect(files.tensors.get("model.layers.0.self_attn.q_proj.weight")).toMatchObject({ dtype: "BF16", shape: [32, 32], byteLength: 2048 });
    expect(files.tensors.get("model.norm.weight")).toMatchObject({ dtype: "F32", byteLength: 128 });
  });

  test("has quantized tensors in bf16, or f32 if that is asked for", async () => {
    expect((await configOf(ENTRIES)).torch_dtype).toBe("bfloat16");
    const { config, files } = await open(ENTRIES, undefined, { quantizedAs: "F32" });
    expect(config.torch_dtype).toBe("float32");
    const embedding = files.tensors.get("model.embed_tokens.weight")!;
    expect([embedding.dtype, embedding.byteLength]).toEqual(["F32", 384]);
    const whole = await embedding.read();
    expect(await embedding.read(5, 200)).toEqual(whole.slice(5, 205));
    await expect(embedding.read(380, 5)).rejects.toThrow(/bytes 380 to 385 of a tensor of 384/);
  });

  test("has a head of its own, unless that is a copy of the embedding", async () => {
    const [embedding] = TENSORS;
    const head = (data: Uint8Array) => [...TENSORS, { ...embedding!, name: "output.weight", data }];
    expect((await configOf(ENTRIES, head(embedding!.data))).tie_word_embeddings).toBe(true);
    const other = await open(ENTRIES, head(embedding!.data.map((byte, i) => (i === 100 ? byte + 1 : byte))));
    expect(other.config.tie_word_embeddings).toBe(false);
    expect(other.files.tensors.has("lm_head.weight")).toBe(true);
  });

  test("has biases where its tensors do, and a window where its metadata does", async () => {
    const biases = [...TENSORS, tensor("blk.0.attn_q.bias", [32]), tensor("blk.0.ffn_down.bias", [32])];
    expect(await configOf(ENTRIES, biases)).toMatchObject({ attention_bias: true, mlp_bias: true });
    const windowed = await configOf([...ENTRIES, ["llama.attention.sliding_window", "uint32", 16]]);
    expect(windowed).toMatchObject({ model_type: "mistral", sliding_window: 16 });
  });

  test("may say of each layer what is the same for all", async () => {
    expect(await configOf(changed("llama.attention.head_count_kv", ["uint32"], [2, 2]))).toMatchObject({ num_key_value_heads: 2 });
    await expect(open(changed("llama.attention.head_count_kv", ["uint32"], [2, 1]))).rejects.toThrow(
      /head_count_kv differs from layer to layer/,
    );
  });

  test("ends a text at each of its end tokens", async () => {
    const ends = ["eos", "eot", "eom"].map((job, i): FixtureEntry => [`tokenizer.ggml.${job}_token_id`, "uint32", i % 2]);
    expect((await configOf([...ENTRIES, ...ends])).eos_token_id).toEqual([0, 1]);
    expect((await configOf([...ENTRIES, ends[1]!])).eos_token_id).toBe(1);
  });
});

describe("rotary positions", () => {
  const table = (name: string, values: readonly number[]): FixtureTensor => ({
    name,
    type: "F32",
    shape: [values.length],
    data: new Uint8Array(Float32Array.from(values).buffer),
  });
  const scaling = (entries: readonly FixtureEntry[], ...tables: FixtureTensor[]) =>
    configOf([...ENTRIES, ...entries], [...TENSORS, ...tables]).then(({ rope_scaling }) => rope_scaling);

  test("are stretched linearly or by yarn as the metadata says", async () => {
    expect(await scaling([])).toBeNull();
    const kind = (type: string): FixtureEntry[] => [
      ["llama.rope.scaling.type", "string", type],
      ["llama.rope.scaling.factor", "float32", 4],
    ];
    expect(await scaling(kind("linear"))).toMatchObject({ rope_type: "linear", factor: 4 });
    const original: FixtureEntry = ["llama.rope.scaling.original_context_length", "uint32", 16];
    expect(await scaling([...kind("yarn"), original])).toMatchObject({
      rope_type: "yarn",
      factor: 4,
      original_max_position_embeddings: 16,
    });
    await expect(scaling(kind("dynamic"))).rejects.toThrow(UnsupportedError);
  });

  test("with a table of Llama 3's are Llama 3's", async () => {
    // wavelengths 2π·500000^(2i/8): 6.3, 167, 4443, 118138; the third lies between 8192/4 and 8192/1, the fourth beyond
    const smooth = (8192 / (2 * Math.PI * 500_000 ** 0.5) - 1) / 3;
    const factors = [1, 1, 1 / ((1 - smooth) / 32 + smooth), 32];
    const expected = { rope_type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
    expect(await scaling([], table("rope_freqs.weight", factors))).toEqual(expected);
    expect(await scaling([], table("rope_freqs.weight", [1, 1, 1, 1]))).toBeNull();
  });

  test("with any other table keep it", async () => {
    expect(await scaling([], table("rope_freqs.weight", [1, 2, 3, 4]))).toEqual({
      rope_type: "longrope",
      type: "longrope",
      long_factor: [1, 2, 3, 4],
      short_factor: [1, 2, 3, 4],
      attention_factor: 1,
    });
    const both = [table("rope_factors_long.weight", [1, 2, 3, 4]), table("rope_factors_short.weight", [1, 1, 1, 2])];
    expect(await scaling([], ...both)).toMatchObject({ rope_type: "longrope", long_factor: [1, 2, 3, 4], short_factor: [1, 1, 1, 2] });
  });

  test.each([
    ["of another length", [1, 2]],
    ["with a factor of 0", [1, 1, 1, 0]],
    ["with a factor that is no number", [1, 1, 1, Number.NaN]],
  ])("refuse a table %s", async (_, values) => {
    await expect(scaling([], table("rope_freqs.weight", values))).rejects.toThrow(FormatError);
  });

  test("turn whole heads of Llama", async () => {
    await expect(open([...ENTRIES, ["llama.rope.dimension_count", "uint32", 4]])).rejects.toThrow(
      /dimension_count is not the size of a head, 8/,
    );
  });
});

describe("refuses", () => {
  test.each<[string, FixtureEntry[], RegExp]>([
    [
      "another architecture",
      changed("general.architecture", "string", "mamba"),
      /architecture "mamba" is not supported in GGUF files\. Supported: llama/,
    ],
    ["an architecture with a name of Object", changed("general.architecture", "string", "constructor"), /architecture "constructor"/],
    ["an adapter", [...ENTRIES, ["general.type", "string", "adapter"]], /holds an adapter, not a model/],
    ["what sees", [...ENTRIES, ["general.type", "string", "mmproj"]], /holds "mmproj", not a model of text/],
    ["a mixture of experts", [...ENTRIES, ["llama.expert_count", "uint32", 8]], /a mixture of 8 experts/],
  ])("%s", async (_, entries, message) => {
    await expect(open(entries)).rejects.toThrow(UnsupportedError);
    await expect(open(entries)).rejects.toThrow(message);
  });

  test.each<[string, FixtureEntry[], RegExp]>([
    ["no architecture", changed("general.architecture"), /lacks the metadata "general\.architecture"/],
    ["no number of layers", changed("llama.block_count"), /lacks the metadata "llama\.block_count"/],
    ["a size that is text", changed("llama.block_count", "string", "1"), /"llama\.block_count" is "1", not a number/],
    [
      "a size that is a list of texts",
      changed("llama.block_count", ["string"], ["1", "1"]),
      /"llama\.block_count" is a list of 2, not a number/,
    ],
    ["a size that is a fraction", changed("llama.block_count", "float32", 1.5), /"llama\.block_count" is 1\.5, not a whole number/],
    [
      "heads that rows do not divide into",
      changed("llama.attention.head_count", "uint32", 7),
      /"blk\.0\.attn_q\.weight".*has 32 rows, which do not divide into 14/,
    ],
  ])("%s", async (_, entries, message) => {
    await expect(open(entries)).rejects.toThrow(FormatError);
    await expect(open(entries)).rejects.toThrow(message);
  });

  test("a tensor that the architecture does not have, and none where there must be one", async () => {
    for (const name of ["blk.0.ffn_gate_exps.weight", "blk.00.attn_q.weight", "blk.0.attn_q", "attn_q.weight", "__proto__.weight"])
      await expect(open(ENTRIES, [...TENSORS, tensor(name, [32])])).rejects.toThrow(
        `holds the tensor "${name}", for which the architecture llama`,
      );
    await expect(open(ENTRIES, TENSORS.slice(1))).rejects.toThrow(/lacks the tensor "token_embd\.weight"/);
  });

  test("a type of tensor that is not read, by name, before anything is read", async () => {
    const [embedding, ...others] = TENSORS;
    await expect(open(ENTRIES, [embedding!, ...others.slice(0, -1), tensor("blk.0.ffn_down.weight", [32, 64], "IQ4_NL")])).rejects.toThrow(
      /f\.gguf: tensor "blk\.0\.ffn_down\.weight": is IQ4_NL, which is not read/,
    );
  });

  test("and closes the source", async () => {
    let closed = 0;
    const source = { ...bytesSource(bytesOf(changed("llama.block_count"))), close: async () => void closed++ };
    await expect(openGgufModel(source)).rejects.toThrow(FormatError);
    expect(closed).toBe(1);
  });
});

test("any mutation of a model is opened or refused with an error of ours", { timeout: FUZZ_TIMEOUT }, async () => {
  const sound = bytesOf([...ENTRIES, ...TOKENIZER], TENSORS);
  const header = sound.length - TENSORS.reduce((bytes, { data }) => bytes + data.length, 0);
  const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff));
  const mutation = fc.record({ at: fc.nat(header), bytes: fc.array(value, { minLength: 1, maxLength: 6 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      const bytes = sound.slice();
      for (const { at, bytes: values } of mutations) bytes.set(values, at);
      try {
        const model = await openGgufModel(bytesSource(bytes));
        const files = model.tokenizer();
        if (files) Tokenizer.from(files).encode("a b");
        checkModelTensors(parseModelConfig(model.config), model.files);
        for (const stored of model.files.tensors.values()) expect((await stored.read()).length).toBe(stored.byteLength);
      } catch (error) {
        expect(
          [FormatError, UnsupportedError, UsageError].some((kind) => error instanceof kind),
          String(error),
        ).toBe(true);
      }
    }),
    { numRuns: fuzzCases(1000) },
  );
});
