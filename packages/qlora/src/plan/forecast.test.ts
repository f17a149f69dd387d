// A forecast against the real engine: load, train, look at the backend's peak.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { fp4, nf4, Pager, type QFormat } from "@qlora-js/core";
import { describe, expect, it, vi } from "vitest";

import type { ModelConfig } from "../config/model-config.ts";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { DataOrder } from "../data/order.ts";
import type { Example } from "../data/tokenize.ts";
import { withPackedWeights } from "../formats/bitsandbytes/packed-weights.ts";
import { quantizedFiles } from "../formats/bitsandbytes/quantized-files.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import { loraSettings } from "../formats/peft-config.ts";
import { LoraAdapter } from "../lora/lora-adapter.ts";
import { loadModel } from "../models/load-model.ts";
import { storedWeights } from "../models/weight-form.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { ADAMW_DEFAULTS, PagedAdamW } from "../optimizer/paged-adamw.ts";
import { train } from "../train/train.ts";
import { sumOf } from "./component.ts";
import { type ForecastOptions, forecast } from "./forecast.ts";
import { byMethod } from "./methods.ts";
import { blankBatch } from "./micro-batch.ts";
import { randomModel } from "./random-model.fixture.ts";

// the engine on plain kernels
vi.setConfig({ testTimeout: 60_000 });

const config = (more: object = {}): ModelConfig =>
  parseModelConfig({
    model_type: "llama",
    vocab_size: 128,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
    ...more,
  });

const standard = {
  dtype: "bf16",
  format: nf4(),
  adapter: loraSettings({ rank: 8, alpha: 16, targetModules: "all-linear" }),
  batch: 2,
  length: 24,
  supervised: 20,
  accumulate: 1,
  optimizerBits: 32,
  recompute: ["cheap"],
} as const satisfies ForecastOptions;

/** The peak of loading and two steps of training. */
async function measure(shape: ModelConfig, options: ForecastOptions, given?: ModelFiles): Promise<number> {
  const backend = createPlainBackend();
  const files = given ?? (await randomModel(shape, options.dtype));
  const model = await loadModel(backend, shape, files, { format: options.format });
  const adapter = LoraAdapter.create(model, options.adapter!, 0);
  const parameters = adapter.parameters();
  const pager = new Pager(backend, options.pagerBudget === undefined ? {} : { budgetBytes: options.pagerBudget });
  const optimizer = new PagedAdamW(parameters, pager, { ...ADAMW_DEFAULTS, bits: options.optimizerBits });
  const { batch, length, accumulate } = options;
  const blank = blankBatch({ batch, length, supervised: options.supervised });
  const examples = Array.from({ length: batch }, (_, row) => ({
    inputIds: blank.inputIds.slice(row * length, (row + 1) * length),
    labels: blank.labels.slice(row * length, (row + 1) * length),
    bytes: 0,
  })) as unknown as Example[];
  const order = new DataOrder(batch, { order: "file", batch, accumulate, seed: 0 });
  const recompute = Array.from({ length: shape.layers }, (_, i) => options.recompute[i] ?? options.recompute.at(-1)!);
  const steps = train(model, [...parameters.values()], optimizer, examples, order, {
    steps: 2,
    learningRate: 1e-3,
    schedule: "constant",
    warmupSteps: 0,
    clip: 1,
    seed: 0,
    dropout: options.adapter!.dropout > 0,
    recompute,
  });
  for await (const { loss } of steps) expect(loss).toBeGreaterThan(0);
  const { peakBytes } = backend.memory();
  pager.dispose();
  model.dispose();
  expect(backend.memory().liveBuffers).toBe(0);
  return peakBytes;
}

async function expectAgreement(shape: ModelConfig, options: ForecastOptions, files?: ModelFiles): Promise<void> {
  const { deviceBytes, components } = forecast(shape, options);
  const measured = await measure(shape, options, files);
  expect(sumOf(components)).toBe(deviceBytes);
  expect(deviceBytes / measured).toBeGreaterThan(0.97);
  expect(deviceBytes / measured).toBeLessThan(1.03);
}

/** A checkpoint of bitsandbytes' 4 bits in which some layers are in f32, as those are that `llm_int8_skip_modules` names. */
async function partlyPacked(shape: ModelConfig, skipped: RegExp): Promise<ModelFiles> {
  const [backend, whole] = [createPlainBackend(), await randomModel(shape, "f32")];
  const quantized = await quantizedFiles(shape, whole, { backend, format: nf4() });
  const tensors = [...quantized.tensors].filter(([name]) => !skipped.test(name));
  return { ...whole, tensors: await withPackedWeights(new Map([...whole.tensors].filter(([n]) => skipped.test(n)).concat(tensors))) };
}

describe("forecast", () => {
  const formats: readonly (readonly [string, QFormat | null])[] = [
    ["the file's numbers", null],
    ["NF4 with double quantization", nf4()],
    ["NF4", nf4({ doubleQuant: false })],
    ["FP4 in blocks of 128", fp4({ blockSize: 128 })],
  ];
  describe.each(formats)("over %s", (_, format) => {
    it.each(["nothing", "cheap", "all"] as const satisfies readonly Recomputation[])(
      "agrees with the engine when %s is recomputed",
      async (degree) => expectAgreement(config(), { ...standard, format, recompute: [degree] }),
    );
  });

  it.each(["f32", "f16"] as const)("agrees with the engine for weights of %s, tied to the head", async (dtype) =>
    expectAgreement(config({ tie_word_embeddings: true }), { ...standard, dtype }),
  );
  it("agrees with the engine for layers with biases", async () =>
    expectAgreement(config({ attention_bias: true, mlp_bias: true }), { ...standard, dtype: "f32" }));
  it("agrees with the engine when layers recompute different things", async () =>
    expectAgreement(config(), { ...standard, recompute: ["all", "nothing"] }));
  it.each([2, 3])("agrees with the engine when %i micro-batches make a step", async (accumulate) =>
    expectAgreement(config(), { ...standard, accumulate }),
  );
  it.each([
    [1, 60, 59],
    [4, 12, 3],
  ] as const)("agrees with the engine for %i rows of %i tokens, %i supervised", async (batch, length, supervised) =>
    expectAgreement(config(), { ...standard, batch, length, supervised }),
  );
  it("agrees with the engine for dropout, and adapters on two layers", async () =>
    expectAgreement(config(), {
      ...standard,
      adapter: loraSettings({ rank: 4, alpha: 8, dropout: 0.1, targetModules: ["q_proj", "v_proj"] }),
    }));
  it("agrees with the engine for moments in 8 bits", async () =>
    expectAgreement(config({ hidden_size: 128, intermediate_size: 256 }), {
      ...standard,
      optimizerBits: 8,
      adapter: loraSettings({ rank: 64, alpha: 64, targetModules: "all-linear" }),
    }));
  it("agrees with the engine for moments under a budget, and counts those that wait", async () => {
    const options = { ...standard, pagerBudget: 20_000 };
    await expectAgreement(config(), options);
    const free = forecast(config(), standard);
    expect(free.pagedBytes).toBe(0);
    expect(forecast(config(), options).pagedBytes).toBe(free.trainedParameters * 8 - 20_000);
  });
  it("agrees with the engine for tables and layers that are trained whole", async () =>
    expectAgreement(config(), {
      ...standard,
      adapter: loraSettings({ rank: 4, alpha: 8, targetModules: ["q_proj"], modulesToSave: ["lm_head", "embed_tokens"] }),
    }));

  describe("of a checkpoint that leaves layers out of its 4 bits", () => {
    // more than half of the weights
    const SKIPPED = /^model\.layers\.[013]\..*(gate|up|down|q)_proj/;

    it("agrees with the engine, whatever else is asked for", async () => {
      const shape = config({ hidden_size: 128, intermediate_size: 256 });
      const files = await partlyPacked(shape, SKIPPED);
      const stored = storedWeights(files.tensors);
      await expectAgreement(shape, { ...standard, dtype: "f32", stored }, files);
      const all4 = forecast(shape, { ...standard, dtype: "f32" }).components;
      const mixed = forecast(shape, { ...standard, dtype: "f32", stored });
      expect(mixed.components.weights).toBeGreaterThan(3 * all4.weights);
      expect(mixed.components.scales).toBeLessThan(all4.scales);
      expect(forecast(shape, { ...standard, stored, format: null }).components.weights).toBe(mixed.components.weights);
    });

    it("pages what is in 4 bits alone, and compares with the whole model in 16 bits", async () => {
      const shape = config();
      const stored = storedWeights((await partlyPacked(shape, SKIPPED)).tensors);
      const run = { ...standard, dtype: "f32", stored } as const;
      const { weights } = forecast(shape, run).components;
      const paged = forecast(shape, { ...run, weightsBudget: 1000 });
      const dense = weights - paged.pagedBytes + forecast(shape, run).components.scales;
      expect(paged.components.weights + paged.components.scales).toBeLessThanOrEqual(dense + 1000);
      expect(paged.components.weights).toBeGreaterThan(dense);
      expect(forecast(shape, byMethod("lora", run)).components.scales).toBe(0);
      expect(forecast(shape, byMethod("lora", run)).components.weights).toBe(
        forecast(shape, { ...run, format: null, stored: new Map() }).components.weights,
      );
    });
  });
});
