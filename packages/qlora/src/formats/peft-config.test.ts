import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { formatPeftConfig, loraSettings, parsePeftConfig } from "./peft-config.ts";

const reference = fileURLToPath(new URL("../../../../../shared/reference/", import.meta.url));

const least = { peft_type: "LORA", target_modules: ["q_proj"] };
const parse = (more: object = {}) => parsePeftConfig("a/adapter_config.json", { ...least, ...more });

test("values that are not given are PEFT's own", () => {
  expect(parse()).toEqual({ settings: loraSettings({ rank: 8, alpha: 8, targetModules: ["q_proj"] }), unknownKeys: [] });
});

test("one layer, or one name, is a list of one", () => {
  expect(parse({ layers_to_transform: 0, layers_pattern: "h" }).settings).toMatchObject({ layersToTransform: [0], layersPattern: ["h"] });
  expect(parse({ layers_to_transform: [], layers_pattern: "" }).settings).toMatchObject({ layersToTransform: undefined });
});

test("keys of a later PEFT are passed over and listed", () => {
  expect(parse({ new_in_pear: 3, inference_mode: true, eva_config: { rho: 2 } }).unknownKeys).toEqual(["new_in_pear"]);
});

test("what is written is read again", () => {
  const name = fc.string({ maxLength: 8 });
  const settings = fc.record({
    rank: fc.integer({ min: 1, max: 512 }),
    alpha: fc.double({ min: 0.1, max: 100, noNaN: true }),
    dropout: fc.double({ min: 0, max: 0.9, noNaN: true }),
    targetModules: fc.oneof(name, fc.array(name, { maxLength: 3 })),
    excludeModules: fc.oneof(fc.constant(undefined), name, fc.array(name)),
    layersToTransform: fc.oneof(fc.constant(undefined), fc.array(fc.nat(), { minLength: 1 })),
    rankPattern: fc.constantFrom([], [["down_proj", 2]] as [string, number][]),
    alphaPattern: fc.constantFrom([], [["down_proj", 2.5]] as [string, number][]),
    useRslora: fc.boolean(),
    baseModel: fc.oneof(fc.constant(undefined), name),
  });
  fc.assert(
    fc.property(settings, (s) => {
      expect(parsePeftConfig("f", JSON.parse(formatPeftConfig(loraSettings(s)))).settings).toEqual(loraSettings(s));
    }),
  );
});

describe("refuses by name, as the user's choice,", () => {
  test.each([
    [{ peft_type: "IA3" }, /type "IA3"/],
    [{ use_dora: true }, /use_dora true is not supported \(DoRA\)/],
    [{ bias: "lora_only" }, /bias "lora_only"/],
    [{ bias: "all" }, /trained biases/],
    [{ modules_to_save: ["lm_head"] }, /modules_to_save \["lm_head"\]/],
    [{ lora_bias: true }, /lora_bias/],
    [{ target_parameters: ["experts.w"] }, /target_parameters/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices/],
    [{ trainable_token_indices: { embed_tokens: [1] } }, /trainable_token_indices/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ fan_in_fan_out: true }, /fan_in_fan_out/],
    [{ use_qalora: true }, /QALoRA/],
    [{ alora_invocation_tokens: [1] }, /aLoRA/],
    [{ arrow_config: { top_k: 1 } }, /Arrow/],
    [{ init_lora_weights: "pissa_niter_4" }, /"pissa_niter_4" is not supported: it changes the base/],
    [{ init_lora_weights: "olora" }, /"olora"/],
    [{ task_type: "SEQ_CLS" }, /task_type "SEQ_CLS"/],
  ])("%j", (given, message) => {
    expect(() => parse(given)).toThrow(UsageError);
    expect(() => parse(given)).toThrow(message);
  });

  test("and lets pass what is there but not used", () => {
    const unused = {
      use_dora: false,
      bias: "none",
      modules_to_save: [],
      trainable_token_indices: null,
      arrow_config: null,
      init_lora_weights: "gaussian",
      task_type: null,
    };
    expect(parse(unused)).toEqual(parse());
  });
});

describe("refuses as damaged", () => {
  test.each([
    [{ peft_type: undefined }, /"peft_type" is missing/],
    [{ target_modules: null }, /"target_modules" is missing/],
    [{ target_modules: [1] }, /"target_modules/],
    [{ r: 0 }, /"r" is 0/],
    [{ r: 2.5 }, /"r" is 2\.5/],
    [{ lora_alpha: "16" }, /"lora_alpha" is "16"/],
    [{ lora_dropout: 1 }, /"lora_dropout" is 1/],
    [{ rank_pattern: { q_proj: -1 } }, /"rank_pattern\.q_proj" is -1/],
    [{ rank_pattern: ["q_proj"] }, /"rank_pattern"/],
  ])("%j", (given, message) => {
    expect(() => parse(given)).toThrow(FormatError);
    expect(() => parse(given)).toThrow(message);
  });

  test.each([[null], [[]], ["LORA"]])("%j in place of an object", (json) => {
    expect(() => parsePeftConfig("f", json)).toThrow(FormatError);
  });
});

describe.skipIf(!existsSync(reference))("configs that PEFT 0.21.2 wrote (skipped without ../shared/reference)", () => {
  test.each([
    "families/llama/adapter",
    "families/llama/adapter_rslora",
    "families/llama/adapter_patterns",
    "families/llama/adapter_layers",
    "smollm2/adapter",
  ])("%s: we write the same keys and values, in the same order", (name) => {
    const text = readFileSync(`${reference}${name}/adapter_config.json`, "utf8");
    const { settings, unknownKeys } = parsePeftConfig(name, JSON.parse(text));
    expect(unknownKeys).toEqual([]);
    const ours = formatPeftConfig(settings);
    expect(JSON.parse(ours)).toEqual(JSON.parse(text));
    // Python writes whole floats with a point: the one difference in the text.
    expect(ours).toBe(text.replace('"lora_dropout": 0.0', '"lora_dropout": 0'));
  });
});
