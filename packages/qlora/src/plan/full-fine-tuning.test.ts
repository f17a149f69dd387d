// Full fine-tuning in 16 bits: it learns, its gradients are those of f32 rounded, and what it takes is what is forecast.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { type Backend, nf4, tensor, zeros } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { loadModel } from "../models/load-model.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { forecast } from "./forecast.ts";
import { FullFineTuning } from "./full-fine-tuning.ts";
import { blankBatch, microBatch } from "./micro-batch.ts";
import { randomModel } from "./random-model.fixture.ts";

const config = (tied: boolean) =>
  parseModelConfig({
    model_type: "llama",
    vocab_size: 64,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: tied,
  });
const batch = blankBatch({ batch: 2, length: 16, supervised: 20 });

describe("FullFineTuning", () => {
  let backend: Backend;
  beforeEach(() => {
    backend = createPlainBackend();
  });
  afterEach(() => backend.dispose());

  async function tuningOf(dtype: "bf16" | "f32", tied = false): Promise<FullFineTuning> {
    const shape = config(tied);
    return new FullFineTuning(await loadModel(backend, shape, await randomModel(shape, dtype), { format: null }));
  }
  const step = (tuning: FullFineTuning, recompute: Recomputation = "nothing") =>
    microBatch(tuning.parameters, batch.supervised, () => tuning.losses(batch, { dropoutKey: null, recompute: [recompute, recompute] }));

  it.each([true, false])("trains every weight in 16 bits, gradients too (embeddings tied: %s)", async (tied) => {
    const tuning = await tuningOf("bf16", tied);
    const moments = tuning.parameters.map(({ shape }) => ({ m: zeros(backend, shape), v: zeros(backend, shape) }));
    const before = step(tuning);
    expect(before.grads.map((g) => g.dtype)).toEqual(tuning.parameters.map((p) => p.dtype));
    expect(before.grads.filter((g) => g.dtype === "bf16")).toHaveLength(14 + (tied ? 1 : 2));
    tuning.update(before.grads, moments, tensor(backend, [1], []), 1e-2);
    const after = step(tuning);
    expect(await after.loss.item()).toBeLessThan(await before.loss.item());
  });

  it("gives the same gradients whatever is recomputed", async () => {
    const tuning = await tuningOf("f32");
    const all = await Promise.all(
      (["nothing", "cheap", "all"] as const).map((r) => Promise.all(step(tuning, r).grads.map((g) => g.readBytes()))),
    );
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
  });

  it.each(["nothing", "cheap", "all"] as const)("takes what is forecast when %s is recomputed", async (recompute) => {
    const tuning = await tuningOf("bf16");
    const moments = tuning.parameters.map(({ shape }) => ({ m: zeros(backend, shape), v: zeros(backend, shape) }));
    const { grads } = step(tuning, recompute);
    tuning.update(grads, moments, tensor(backend, [1], []), 1e-3);
    const options = { dtype: "bf16", format: null, adapter: null, accumulate: 1, optimizerBits: 32, recompute: [recompute] } as const;
    const { deviceBytes } = forecast(config(false), { ...options, batch: 2, length: 16, supervised: 20 });
    expect(deviceBytes / backend.memory().peakBytes).toBeGreaterThan(0.97);
    expect(deviceBytes / backend.memory().peakBytes).toBeLessThan(1.03);
  });

  it("refuses a model that is quantized or adapted", async () => {
    const shape = config(true);
    const model = await loadModel(backend, shape, await randomModel(shape, "bf16"), { format: nf4() });
    expect(() => new FullFineTuning(model)).toThrow(/Load the model with no format/);
  });
});
