import { nf4 } from "@qlora-js/core";
import { describe, expect, it, vi } from "vitest";
import { shapeNamed } from "../config/shapes.ts";
import { loraSettings } from "../formats/peft-config.ts";
import { cheapestChanges } from "./cheapest-changes.ts";
import type { MemoryBudget } from "./choose-recompute.ts";
import { type ForecastOptions, forecast } from "./forecast.ts";

vi.setConfig({ testTimeout: 60_000 });

const config = { ...shapeNamed("llama-7b"), layers: 3 };
const options: ForecastOptions = {
  dtype: "bf16",
  format: nf4(),
  adapter: loraSettings({ rank: 16, alpha: 32, targetModules: "all-linear" }),
  batch: 4,
  length: 1024,
  supervised: 2000,
  accumulate: 2,
  optimizerBits: 32,
  recompute: ["all"],
};
const now = forecast(config, options);
const budget = (totalBytes: number, deviceBytes = Number.POSITIVE_INFINITY): MemoryBudget => ({ totalBytes, deviceBytes, roomyBytes: 0 });

describe("cheapestChanges", () => {
  it("tells three changes, those that keep the result first, each with what it saves", () => {
    const changes = cheapestChanges(config, options, budget(now.totalBytes * 0.9));
    expect(changes).toHaveLength(3);
    expect(changes[0]).toMatchObject({ flags: "--batch 2 --accumulate 4", cost: "same result, somewhat slower" });
    const halved = forecast(config, { ...options, batch: 2, accumulate: 4, supervised: 1000 });
    expect(changes[0]!.savedBytes).toBe(now.totalBytes - halved.totalBytes);
    for (const { savedBytes, totalBytes } of changes) expect(totalBytes).toBe(now.totalBytes - savedBytes);
  });

  it("says which of them is enough alone", () => {
    const [batch] = cheapestChanges(config, options, budget(now.totalBytes - 1));
    expect(batch!.fits).toBe(true);
    for (const { fits } of cheapestChanges(config, options, budget(1))) expect(fits).toBe(false);
  });

  it("tells a pager budget only where the device is what is full: paged moments are still the process's", () => {
    const flags = (b: MemoryBudget): string =>
      cheapestChanges(config, { ...options, batch: 1, length: 64 }, b)
        .map((c) => c.flags)
        .join(" ");
    expect(flags(budget(1))).not.toContain("--pager-budget");
    expect(flags(budget(1e12, 1))).toContain("--pager-budget");
  });

  it("tells to recompute first where everything is kept", () => {
    const [first] = cheapestChanges(config, { ...options, recompute: ["nothing"] }, budget(1));
    expect(first!.flags).toBe("without --no-checkpointing");
  });

  it("tells to quantize a model that is not, and to quantize scales that are not", () => {
    const flags = (format: ForecastOptions["format"]): string[] =>
      cheapestChanges(config, { ...options, format, batch: 1, length: 64, optimizerBits: 8 }, budget(1)).map((c) => c.flags);
    expect(flags(null)).toContain("--format nf4");
    expect(flags(nf4({ doubleQuant: false }))).toContain("without --no-double-quant");
  });
});
