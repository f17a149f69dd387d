// Forecasts against what the CPU backend really held, on the micro model and on SmolLM2: within 5 %.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, fp4, nf4, Pager } from "@qlora-js/core";
import {
  ADAMW_DEFAULTS,
  DataOrder,
  type Example,
  encodeSafetensors,
  type ForecastOptions,
  forecast,
  LoraAdapter,
  loadModel,
  loraSettings,
  type ModelConfig,
  type ModelFiles,
  memoryFolder,
  modelTensors,
  openModelFiles,
  PagedAdamW,
  parseModelConfig,
  readModelConfig,
  train,
} from "@qlora-js/qlora";
import { MICRO_CONFIG } from "@qlora-js/qlora/micro";
import { openFolder } from "@qlora-js/qlora/node";
import { describe, expect, it } from "vitest";
import { hasSmolLm2, smolLm2Folder } from "../reference/smollm2.ts";

const ADAPTER = loraSettings({ rank: 16, alpha: 32, targetModules: "all-linear" });
const run = (more: Partial<ForecastOptions>): ForecastOptions => ({
  dtype: "bf16",
  format: nf4(),
  adapter: ADAPTER,
  batch: 1,
  length: 48,
  supervised: 40,
  accumulate: 1,
  optimizerBits: 32,
  recompute: ["cheap"],
  ...more,
});

/** The most bytes that loading and two steps held. */
async function measure(backend: Backend, config: ModelConfig, files: ModelFiles, options: ForecastOptions): Promise<number> {
  const model = await loadModel(backend, config, files, { format: options.format });
  const parameters = LoraAdapter.create(model, options.adapter!, 0).parameters();
  const pager = new Pager(backend, options.pagerBudget === undefined ? {} : { budgetBytes: options.pagerBudget });
  const optimizer = new PagedAdamW(parameters, pager, { ...ADAMW_DEFAULTS, bits: options.optimizerBits });
  const { batch, length, accumulate } = options;
  // the loss is on the last tokens of each row
  const examples = Array.from({ length: batch }, (_, row) => ({
    inputIds: Int32Array.from({ length }, (_, t) => (7 * t + row) % config.vocabSize),
    labels: Int32Array.from({ length }, (_, t) => (t < length - options.supervised / batch ? -100 : t % config.vocabSize)),
    bytes: 0,
  })) as unknown as Example[];
  const order = new DataOrder(batch, { order: "file", batch, accumulate, seed: 0 });
  const recompute = Array.from({ length: config.layers }, (_, i) => options.recompute[i] ?? options.recompute.at(-1)!);
  const how = { learningRate: 1e-4, schedule: "constant", warmupSteps: 0, clip: 1, seed: 0, dropout: false } as const;
  for await (const { loss } of train(model, [...parameters.values()], optimizer, examples, order, { ...how, steps: 2, recompute }))
    expect(loss).toBeGreaterThan(0);
  pager.dispose();
  model.dispose();
  return backend.memory().peakBytes;
}

async function expectAgreement(config: ModelConfig, open: () => Promise<ModelFiles>, options: ForecastOptions): Promise<void> {
  const backend = await createCpuBackend({ threads: 2 });
  const files = await open();
  try {
    const ratio = forecast(config, options).deviceBytes / (await measure(backend, config, files, options));
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.05);
  } finally {
    await files.close();
    backend.dispose();
  }
}

describe("the micro model's forecast on the CPU backend", () => {
  const config = parseModelConfig(MICRO_CONFIG);
  /** Zeros: what it takes does not depend on the numbers. */
  const zeros = (): Promise<ModelFiles> =>
    encodeSafetensors(
      modelTensors(config).map(({ name, shape }) => ({
        name,
        shape,
        dtype: "BF16" as const,
        data: new Uint8Array(2 * shape.reduce((a, b) => a * b, 1)).fill(60),
      })),
    ).then((bytes) => openModelFiles(memoryFolder(new Map([["model.safetensors", bytes]]))));

  it.each([
    ["NF4, everything kept", { recompute: ["nothing"], batch: 4, length: 64, supervised: 80 }],
    ["NF4, products kept, two micro-batches", { accumulate: 2, batch: 2, supervised: 40 }],
    ["FP4 without double quantization, inputs kept", { format: fp4({ doubleQuant: false }), recompute: ["all"], length: 200 }],
    ["the file's numbers, moments in 8 bits", { format: null, optimizerBits: 8 }],
    ["moments under a budget", { pagerBudget: 300_000 }],
  ] as const satisfies readonly (readonly [string, Partial<ForecastOptions>])[])("agrees for %s", async (_, options) =>
    expectAgreement(config, zeros, run(options)),
  );
});

describe.skipIf(!hasSmolLm2)(`SmolLM2's forecast on the CPU backend${hasSmolLm2 ? "" : " (skipped: ../shared/models is absent)"}`, () => {
  it.each([
    ["NF4 with double quantization, products kept, two micro-batches", { accumulate: 2 }],
    ["bf16, everything kept, moments in 8 bits", { format: null, optimizerBits: 8, recompute: ["nothing"] }],
  ] as const satisfies readonly (readonly [string, Partial<ForecastOptions>])[])("agrees for %s", async (_, options) => {
    const folder = await openFolder(smolLm2Folder());
    await expectAgreement(await readModelConfig(folder), () => openModelFiles(folder), run(options));
  });
});
