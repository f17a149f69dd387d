import { nf4 } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { loraSettings } from "../formats/peft-config.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { chooseRecompute, type MemoryBudget, recomputeWords } from "./choose-recompute.ts";
import { forecast } from "./forecast.ts";

vi.setConfig({ testTimeout: 60_000 });

const LAYERS = 6;
const config = parseModelConfig({
  model_type: "llama",
  vocab_size: 256,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: LAYERS,
  num_attention_heads: 4,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
});
const options = {
  dtype: "bf16",
  format: nf4(),
  adapter: loraSettings({ rank: 4, alpha: 8, targetModules: "all-linear" }),
  batch: 2,
  length: 256,
  supervised: 200,
  accumulate: 1,
  optimizerBits: 32,
} as const;
const within = (totalBytes: number, more: Partial<MemoryBudget> = {}): MemoryBudget => ({
  totalBytes,
  deviceBytes: Number.POSITIVE_INFINITY,
  roomyBytes: 0,
  ...more,
});
const all = (degree: Recomputation): readonly Recomputation[] => Array(LAYERS).fill(degree);
const needs = (degree: Recomputation): number => forecast(config, { ...options, recompute: [degree] }).totalBytes;

describe("chooseRecompute", () => {
  it("keeps products in every layer where they fit, and no more unless there is plenty of room", () => {
    expect(chooseRecompute(config, options, within(needs("nothing") * 2))).toMatchObject({ recompute: all("cheap"), fits: true });
  });

  it("keeps everything where there is plenty of room", () => {
    const room = needs("nothing");
    expect(chooseRecompute(config, options, within(room, { roomyBytes: room }))).toMatchObject({ recompute: all("nothing"), fits: true });
    const some = chooseRecompute(config, options, within(room, { roomyBytes: (room + needs("cheap")) / 2 }));
    expect(new Set(some.recompute)).toEqual(new Set(["cheap", "nothing"]));
  });

  it("keeps products in the last layers where they do not fit in all", () => {
    const { recompute, fits } = chooseRecompute(config, options, within((needs("cheap") + needs("all")) / 2));
    expect(fits).toBe(true);
    expect(recompute[0]).toBe("all");
    expect(recompute.at(-1)).toBe("cheap");
  });

  it("takes the smallest where nothing fits, and says so", () => {
    const { recompute, forecast: chosen, fits } = chooseRecompute(config, options, within(1));
    expect(fits).toBe(false);
    expect(recompute.slice(0, -1)).toEqual(all("all").slice(1));
    for (const degree of ["nothing", "cheap", "all"] as const) expect(chosen.totalBytes).toBeLessThanOrEqual(needs(degree));
  });

  it("looks at what the device can hold as well", () => {
    const device = forecast(config, { ...options, recompute: ["cheap"] }).deviceBytes;
    expect(chooseRecompute(config, options, within(1e12, { deviceBytes: device }))).toMatchObject({ recompute: all("cheap"), fits: true });
    expect(chooseRecompute(config, options, within(1e12, { deviceBytes: device - 1 })).recompute).toContain("all");
    expect(chooseRecompute(config, options, within(1e12, { deviceBytes: 1 })).fits).toBe(false);
  });

  it("is within the budget whenever it says so, and one layer more would not be", () => {
    const [least, most] = [needs("all"), needs("cheap")];
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        const budget = least + share * (most - least);
        const { recompute, forecast: chosen, fits } = chooseRecompute(config, options, within(budget));
        expect(fits).toBe(true);
        expect(chosen.totalBytes).toBeLessThanOrEqual(budget);
        const kept = recompute.filter((r) => r === "cheap").length;
        if (kept === LAYERS) return;
        const more = recompute.map((r, i) => (i === LAYERS - kept - 1 ? "cheap" : r));
        expect(forecast(config, { ...options, recompute: more }).totalBytes).toBeGreaterThan(budget);
      }),
      { numRuns: 20 },
    );
  });
});

describe("recomputeWords", () => {
  it("counts layers by what they keep", () => {
    expect(recomputeWords(all("cheap"))).toBe("products kept in all 6 layers");
    expect(recomputeWords(["all", "cheap", "cheap"])).toBe("products kept in 2, only inputs kept in 1 layers");
  });
});
