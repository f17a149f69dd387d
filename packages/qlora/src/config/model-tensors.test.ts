import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { openModelFiles } from "../formats/model-files.ts";
import { openFolder } from "../formats/node-folder.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { readModelConfig } from "./model-config.ts";
import { linearModules } from "./model-parts.ts";
import { checkModelTensors, modelTensors } from "./model-tensors.ts";
import { parseModelConfig } from "./parse-model-config.ts";
import { SHAPES, shapeNamed } from "./shapes.ts";

const families = fileURLToPath(new URL("../../../../../shared/reference/families/", import.meta.url));

const tiny = {
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  vocab_size: 32,
};
const configOf = (more: object = {}) => parseModelConfig({ ...tiny, ...more });

const stored = (shape: readonly number[], dtype: StoredTensor["dtype"] = "BF16"): StoredTensor => ({
  file: "m/f",
  dtype,
  shape,
  byteLength: 0,
  read: async () => new Uint8Array(0),
});
const filesOf = (config: ReturnType<typeof configOf>) => new Map(modelTensors(config).map(({ name, shape }) => [name, stored(shape)]));

describe("the tensors of a Llama", () => {
  test("have names and shapes by its config", () => {
    const shapes = new Map(modelTensors(configOf()).map(({ name, shape, kind }) => [name, `${kind} ${shape}`]));
    expect(Object.fromEntries([...shapes].filter(([name]) => !name.includes("layers.1")))).toEqual({
      "model.embed_tokens.weight": "embedding 32,8",
      "model.layers.0.self_attn.q_proj.weight": "linear 16,8",
      "model.layers.0.self_attn.k_proj.weight": "linear 8,8",
      "model.layers.0.self_attn.v_proj.weight": "linear 8,8",
      "model.layers.0.self_attn.o_proj.weight": "linear 8,16",
      "model.layers.0.mlp.gate_proj.weight": "linear 12,8",
      "model.layers.0.mlp.up_proj.weight": "linear 12,8",
      "model.layers.0.mlp.down_proj.weight": "linear 8,12",
      "model.layers.0.input_layernorm.weight": "norm 8",
      "model.layers.0.post_attention_layernorm.weight": "norm 8",
      "model.norm.weight": "norm 8",
      "lm_head.weight": "head 32,8",
    });
    expect(shapes.size).toBe(1 + 2 * 9 + 2);
  });

  test("have biases where the config says so, and no head where it is tied", () => {
    const names = (more: object) => modelTensors(configOf(more)).map(({ name }) => name);
    expect(names({ attention_bias: true }).filter((n) => n.endsWith(".bias"))).toEqual(
      [0, 1].flatMap((i) => ["q", "k", "v", "o"].map((p) => `model.layers.${i}.self_attn.${p}_proj.bias`)),
    );
    expect(names({ mlp_bias: true }).filter((n) => n.endsWith(".bias"))).toHaveLength(6);
    expect(names({ tie_word_embeddings: true })).not.toContain("lm_head.weight");
  });

  test.each([
    ["llama-7b", 6_738_415_616],
    ["llama-13b", 13_015_864_320],
    ["llama-33b", 32_528_943_616],
    ["llama-65b", 65_285_660_672],
  ])("of %s hold %d numbers", (name, expected) => {
    // The counts that the paper rounds to 6.7, 13.0, 32.5 and 65.2 billion.
    const count = modelTensors(shapeNamed(name)).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(expected);
  });

  test("an unknown shape is refused with the nearest name", () => {
    expect(Object.keys(SHAPES)).toEqual(["llama-7b", "llama-13b", "llama-33b", "llama-65b"]);
    expect(() => shapeNamed("lama-65b")).toThrow(/Did you mean "llama-65b"\?/);
    expect(() => shapeNamed("toString")).toThrow(expect.objectContaining({ name: "UsageError" }));
  });
});

describe("files are checked:", () => {
  test("all tensors, a tied head's copy, and rotary frequencies of old versions pass", () => {
    for (const tied of [false, true]) {
      const config = configOf({ tie_word_embeddings: tied });
      const tensors = filesOf(config)
        .set("lm_head.weight", stored([32, 8]))
        .set("model.layers.0.self_attn.rotary_emb.inv_freq", stored([2], "F32"));
      expect(() => checkModelTensors(config, { folder: "m", tensors })).not.toThrow();
    }
  });

  type Change = (tensors: Map<string, StoredTensor>) => unknown;
  test.each<[string, Change, RegExp]>([
    ["a missing tensor", (t) => t.delete("model.norm.weight"), /^m: lacks the tensor "model\.norm\.weight" \[8\] that/],
    [
      "several missing",
      (t) => [...t.keys()].slice(0, 5).map((name) => t.delete(name)),
      /"model\.embed_tokens\.weight" \[32, 8\] and 4 more/,
    ],
    ["a missing head", (t) => t.delete("lm_head.weight"), /Is "tie_word_embeddings" missing/],
    ["an extra tensor", (t) => t.set("x", stored([3])), /^m\/f: holds the tensor "x" \[3\], for which/],
    ["an extra bias", (t) => t.set("model.layers.0.self_attn.q_proj.bias", stored([16])), /Are "attention_bias" or "mlp_bias" missing/],
    ["a quantized model", (t) => t.set("model.layers.0.mlp.up_proj.weight.absmax", stored([1])), /belongs to a quantized model/],
    [
      "a wrong shape",
      (t) => t.set("model.layers.1.mlp.up_proj.weight", stored([8, 12])),
      /^m\/f: tensor "model\.layers\.1\.mlp\.up_proj\.weight" is \[8, 12\], but the config asks for \[12, 8\]/,
    ],
    ["a wrong number of dimensions", (t) => t.set("model.norm.weight", stored([8, 1])), /is \[8, 1\]/],
    [
      "a type that is not read",
      (t) => t.set("model.norm.weight", stored([8], "F8_E4M3")),
      /"model\.norm\.weight" is of type F8_E4M3; weights are read from F32, F16, BF16/,
    ],
  ])("%s is refused", (_, change, message) => {
    const tensors = filesOf(configOf());
    change(tensors);
    const check = () => checkModelTensors(configOf(), { folder: "m", tensors });
    expect(check).toThrow(FormatError);
    expect(check).toThrow(message);
  });

  test("the inner model alone is refused with advice", () => {
    const tensors = new Map([...filesOf(configOf())].map(([name, t]) => [name.replace(/^model\./, ""), t]));
    expect(() => checkModelTensors(configOf(), { folder: "m", tensors })).toThrow(/names lack the prefix model\./);
  });

  test("a tied head's copy of another shape is refused", () => {
    const config = configOf({ tie_word_embeddings: true });
    expect(() => checkModelTensors(config, { folder: "m", tensors: filesOf(config).set("lm_head.weight", stored([31, 8])) })).toThrow(
      /"lm_head\.weight" is \[31, 8\]/,
    );
  });
});

describe.skipIf(!existsSync(families))("tiny models of transformers 5 (skipped without ../shared/reference)", () => {
  test.each(["llama", "llama_tied_rope3"])("%s holds what its config asks for", async (family) => {
    const folder = await openFolder(families + family);
    const config = await readModelConfig(folder);
    const files = await openModelFiles(folder);
    expect(() => checkModelTensors(config, files)).not.toThrow();
    expect(linearModules(config)).toHaveLength(14);
    await files.close();
  });
});
