import { createPlainBackend } from "@qlora-js/backend-cpu";
import { type Backend, noGrad, scope } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { UsageError } from "../error.ts";
import { type LoraSettings, loraSettings } from "../formats/peft-config.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { loadModel } from "../models/load-model.ts";
import { logits } from "../models/logits.ts";
import { randomModel } from "../plan/random-model.fixture.ts";
import { LoraAdapter } from "./lora-adapter.ts";
import { withAdapters } from "./with-adapters.ts";

const config = parseModelConfig({
  model_type: "llama",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  vocab_size: 12,
});
const settings = (given: Partial<LoraSettings> = {}): LoraSettings =>
  loraSettings({ rank: 2, alpha: 4, targetModules: ["q_proj", "down_proj"], init: "random", ...given });

let backend: Backend;
let model: LanguageModel;
beforeEach(async () => {
  backend = createPlainBackend();
  model = await loadModel(backend, config, await randomModel(config, "f32"), { format: null });
});
afterEach(() => {
  model.dispose();
  expect(backend.memory().liveBuffers).toBe(0);
  backend.dispose();
});

async function computed(): Promise<Float32Array> {
  const batch = { inputIds: Int32Array.of(1, 5, 3), batch: 1, length: 3 };
  const made = noGrad(backend, () => scope(backend, () => logits(model, model.hidden(batch, { dropoutKey: null }))));
  const values = await made.read();
  made.dispose();
  return values;
}
const alone = (adapter: LoraAdapter, weight?: number) =>
  withAdapters(model, [{ adapter, ...(weight === undefined ? {} : { weight }) }], computed);

/** What is trained, moved, so that each adapter has its own. */
async function move(adapter: LoraAdapter, by: number): Promise<void> {
  for (const p of adapter.parameters().values()) {
    const values = (await p.read()).map((x, i) => x + by * Math.sin(i + by));
    backend.write(p.storage.buffer, new Uint8Array(values.buffer));
  }
}

describe("adapters on one model", () => {
  it("are there alone, or not at all, by call, and afterwards as they were", async () => {
    const base = await computed();
    const first = LoraAdapter.create(model, settings(), 1);
    const one = await computed();
    const second = LoraAdapter.create(model, settings({ targetModules: ["q_proj", "o_proj"] }), 2);
    const both = await computed();
    expect(await withAdapters(model, [], computed)).toEqual(base);
    expect(await alone(first)).toEqual(one);
    expect(await alone(second)).not.toEqual(one);
    expect(await alone(first, 0)).toEqual(base);
    expect(await computed()).toEqual(both);
    await expect(withAdapters(model, [{ adapter: first }], () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await computed()).toEqual(both);
  });

  it("are summed by their weights: half of one and half of the same is one", async () => {
    const first = LoraAdapter.create(model, settings(), 1);
    const same = LoraAdapter.create(model, settings(), 1);
    const one = await alone(first);
    const halves = await withAdapters(
      model,
      [
        { adapter: first, weight: 0.5 },
        { adapter: same, weight: 0.5 },
      ],
      computed,
    );
    for (const [i, value] of halves.entries()) expect(Math.abs(value - one[i]!)).toBeLessThan(1e-5);
    expect(await withAdapters(model, [{ adapter: first, weight: -1 }, { adapter: same }], computed)).not.toEqual(one);
  });

  it("take turns where each replaces a tensor of the model", async () => {
    const base = await computed();
    const adapters = [1, 2].map((seed) => LoraAdapter.create(model, settings({ modulesToSave: ["lm_head", "norm"] }), seed));
    for (const [i, adapter] of adapters.entries()) await move(adapter, 0.1 * (i + 1));
    const [first, second] = [await alone(adapters[0]!), await alone(adapters[1]!)];
    expect(first).not.toEqual(second);
    expect(await alone(adapters[0]!)).toEqual(first);
    expect(await withAdapters(model, [], computed)).toEqual(base);
    const chosen = adapters.map((adapter) => ({ adapter }));
    await expect(withAdapters(model, chosen, computed)).rejects.toThrow(
      /replaces model\.layers\.0\.input_layernorm\.weight, and so does another/,
    );
  });

  it("come off in any order, and leave the base", async () => {
    const base = await computed();
    const adapters = [
      LoraAdapter.create(model, settings({ useDora: true }), 1),
      LoraAdapter.create(model, settings({ modulesToSave: ["embed_tokens"] }), 2),
      LoraAdapter.create(model, settings(), 3),
    ];
    const third = await alone(adapters[2]!);
    adapters[1]!.detach();
    expect(await alone(adapters[2]!)).toEqual(third);
    adapters[0]!.detach();
    adapters[2]!.detach();
    expect(await computed()).toEqual(base);
  });
});

describe("a choice that cannot be computed is refused, and nothing is changed:", () => {
  it.each<[string, Partial<LoraSettings>, number, RegExp]>([
    ["half a DoRA", { useDora: true }, 0.5, /is a DoRA, so it is there or not/],
    ["half a head", { modulesToSave: ["lm_head"] }, 0.5, /trains modules whole/],
    ["a weight that is no number", {}, Number.NaN, /cannot have the weight NaN/],
  ])("%s", async (_, given, weight, message) => {
    const adapter = LoraAdapter.create(model, settings(given), 1);
    const before = await computed();
    await expect(alone(adapter, weight)).rejects.toThrow(UsageError);
    await expect(alone(adapter, weight)).rejects.toThrow(message);
    expect(await computed()).toEqual(before);
  });

  it("a DoRA with another, one twice, one that is off the model", async () => {
    const [dora, other] = [LoraAdapter.create(model, settings({ useDora: true }), 1), LoraAdapter.create(model, settings(), 2)];
    await expect(withAdapters(model, [{ adapter: dora }, { adapter: other }], computed)).rejects.toThrow(/cannot be combined/);
    await expect(withAdapters(model, [{ adapter: other }, { adapter: other }], computed)).rejects.toThrow(/chosen twice/);
    await withAdapters(model, [{ adapter: dora }, { adapter: other, weight: 0 }], computed);
    other.detach();
    await expect(alone(other)).rejects.toThrow(/not on this model/);
  });
});
