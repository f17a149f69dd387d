import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../fuzz-cases.fixture.ts";
import { loraTargets } from "./lora-targets.ts";
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
    useDora: fc.boolean(),
    modulesToSave: fc.array(name, { maxLength: 3 }),
    bias: fc.constantFrom("none", "all", "lora_only"),
    fanInFanOut: fc.boolean(),
    init: fc.constantFrom("default", "gaussian", "random"),
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
    [{ modules_to_save: ["lm_head"], ensure_weight_tying: true }, /ensure_weight_tying true with modules_to_save/],
    [{ lora_bias: true }, /lora_bias/],
    [{ target_parameters: ["experts.w"] }, /target_parameters/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices/],
    [{ trainable_token_indices: { embed_tokens: [1] } }, /trainable_token_indices/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ use_qalora: true }, /QALoRA/],
    [{ alora_invocation_tokens: [1] }, /aLoRA/],
    [{ arrow_config: { top_k: 1 } }, /Arrow/],
    [{ init_lora_weights: "pissa_niter_4" }, /"pissa_niter_4" is not supported: it changes the base/],
    [{ init_lora_weights: "olora" }, /"olora"/],
    [{ init_lora_weights: "pissa" }, /"pissa" is not supported: it changes the base\. Convert it first: qlora export/],
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
      init_lora_weights: "eva",
      ensure_weight_tying: true,
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
    [{ bias: "some" }, /"bias"/],
    [{ use_dora: "yes" }, /"use_dora"/],
    [{ modules_to_save: "lm_head" }, /"modules_to_save"/],
  ])("%j", (given, message) => {
    expect(() => parse(given)).toThrow(FormatError);
    expect(() => parse(given)).toThrow(message);
  });

  test.each([[null], [[]], ["LORA"]])("%j in place of an object", (json) => {
    expect(() => parsePeftConfig("f", json)).toThrow(FormatError);
  });
});

test("a way to begin that leaves plain LoRA behind is not named in the file", () => {
  for (const init of ["pissa", "pissa_niter_4", "loftq"] as const)
    expect(
      JSON.parse(formatPeftConfig({ ...loraSettings({ rank: 2, alpha: 4, targetModules: ["q_proj"] }), init })).init_lora_weights,
    ).toBe(true);
});

/** Bytes that are near a config's. */
const near = fc
  .tuple(
    fc.constantFrom(formatPeftConfig(loraSettings({ rank: 8, alpha: 16, targetModules: ["q_proj"], modulesToSave: ["lm_head"] }))),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'[]{}",:0-1.eNtf\\\u0000 ')), { maxLength: 4 }),
  )
  .map(([text, edits]) => edits.reduce((t, [at, c]) => t.slice(0, at % t.length) + c + t.slice((at % t.length) + 1), text));
const values = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, "", "all-linear", "(a+)+$", -1, 0, 1.5, 1e308, {}, [], [[]], [null], { x: [1] }, "pissa"),
  fc.jsonValue(),
);

test("whatever a config holds, it is read or refused with a typed error", { timeout: FUZZ_TIMEOUT }, () => {
  const known = Object.keys(JSON.parse(formatPeftConfig(loraSettings({ rank: 1, alpha: 1, targetModules: [] }))));
  const objects = fc.dictionary(fc.oneof(fc.constantFrom(...known), fc.string()), values, { maxKeys: 6 }).map((o) => ({ ...least, ...o }));
  const parsed = fc.oneof(objects, near.map(orNothing), fc.jsonValue());
  fc.assert(
    fc.property(parsed, (json) => {
      try {
        const { settings } = parsePeftConfig("f", json);
        expect(settings.rank).toBeGreaterThanOrEqual(1);
        expect(Number.isFinite(settings.alpha)).toBe(true);
        loraTargets(settings, ["model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj"], "f");
      } catch (error) {
        if (!(error instanceof UsageError) && !(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: fuzzCases(3000) },
  );
});

function orNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

describe.skipIf(!existsSync(reference))("configs that PEFT 0.21.2 wrote (skipped without ../shared/reference)", () => {
  test.each([
    "families/llama/adapter",
    "families/llama/adapter_rslora",
    "families/llama/adapter_patterns",
    "families/llama/adapter_layers",
    "families/llama/adapter_dora",
    "families/llama/adapter_modules_to_save",
    "families/gpt2/adapter",
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
