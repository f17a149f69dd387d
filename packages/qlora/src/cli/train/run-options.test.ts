import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addOptions, readOptions } from "../option-table.ts";
import { TRAINING_OPTIONS } from "../training-options.ts";
import { type GivenOptions, resolveRun, withSaved } from "./run-options.ts";

const lengths = Array.from({ length: 20 }, () => 10);

function typed(...args: string[]): { options: GivenOptions; given: ReadonlySet<string> } {
  const command = new Command();
  addOptions(command, TRAINING_OPTIONS);
  command.parse(args, { from: "user" });
  const { values, given } = readOptions(command, TRAINING_OPTIONS);
  return { options: { ...values, saveEvery: undefined, evalEvery: undefined }, given };
}

const resolved = (...args: string[]) => {
  const { options, given } = typed(...args);
  return resolveRun(options, given, lengths).options;
};

describe("resolveRun", () => {
  it("sees each row three times where nothing is said, in steps of batch × accumulate rows", () => {
    expect(resolved()).toMatchObject({ steps: 9, batch: 2, accumulate: 4, lr: 2e-4, schedule: "constant", rank: 16, alpha: 32, clip: 0.3 });
    expect(resolved("--epochs", "1", "--batch", "4", "--accumulate", "1").steps).toBe(5);
    expect(resolved("--steps", "7").steps).toBe(7);
    // who says how many rows, and no more, means a step of so many
    expect(resolved("--epochs", "1", "--batch", "4")).toMatchObject({ steps: 5, batch: 4, accumulate: 1 });
  });

  it("saves about ten times and evaluates about five times", () => {
    expect(resolved("--steps", "100")).toMatchObject({ saveEvery: 10, evalEvery: 20 });
    expect(resolved("--steps", "3")).toMatchObject({ saveEvery: 1, evalEvery: 1 });
  });

  it("takes warm-up as steps, or as a share of them", () => {
    expect(resolved("--steps", "100", "--warmup", "0.03").warmup).toBe(3);
    expect(resolved("--steps", "100", "--warmup", "10").warmup).toBe(10);
  });

  it("refuses steps and epochs together", () => {
    expect(() => resolved("--steps", "1", "--epochs", "1")).toThrow(expect.objectContaining({ name: "UsageError", where: "--steps" }));
  });
});

describe("withSaved", () => {
  const saved = resolved("--steps", "10", "--rank", "4", "--lr", "1e-3", "--max-length", "50", "--warmup", "0.2");

  it("goes on with what the run had", () => {
    const { options, given } = typed();
    expect(resolveRun(withSaved(options, given, saved), given, lengths).options).toEqual(saved);
  });

  it("lets what is given win, so that a difference is found", () => {
    const { options, given } = typed("--rank", "8", "--steps", "20");
    expect(resolveRun(withSaved(options, given, saved), given, lengths).options).toEqual({ ...saved, rank: 8, steps: 20 });
  });

  it("counts steps anew where epochs are given", () => {
    const { options, given } = typed("--epochs", "6");
    expect(resolveRun(withSaved(options, given, saved), given, lengths).options.steps).toBe(18);
  });
});
