import { describe, expect, it } from "vitest";
import { ArgumentError } from "../error.ts";
import { type Schedule, scheduleFactor } from "./schedule.ts";

// Factors of transformers 5.23.0, printed by test/reference/make_schedules.py: steps 0 … total + 1.
const GOLDENS: [Schedule, warmup: number, total: number, factors: number[]][] = [
  ["constant", 0, 5, [1, 1, 1, 1, 1, 1, 1]],
  ["constant", 3, 10, [0, 0.3333333333333333, 0.6666666666666666, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ["constant", 4, 4, [0, 0.25, 0.5, 0.75, 1, 1]],
  ["linear", 0, 5, [1, 0.8, 0.6, 0.4, 0.2, 0, 0]],
  [
    "linear",
    3,
    10,
    [
      0, 0.3333333333333333, 0.6666666666666666, 1, 0.8571428571428571, 0.7142857142857143, 0.5714285714285714, 0.42857142857142855,
      0.2857142857142857, 0.14285714285714285, 0, 0,
    ],
  ],
  ["linear", 4, 4, [0, 0.25, 0.5, 0.75, 0, 0]],
  ["cosine", 0, 5, [1, 0.9045084971874737, 0.6545084971874737, 0.34549150281252633, 0.09549150281252633, 0, 0.09549150281252622]],
  [
    "cosine",
    3,
    10,
    [
      0, 0.3333333333333333, 0.6666666666666666, 1, 0.9504844339512095, 0.8117449009293668, 0.6112604669781572, 0.38873953302184283,
      0.18825509907063326, 0.04951556604879048, 0, 0.04951556604879043,
    ],
  ],
  ["cosine", 4, 4, [0, 0.25, 0.5, 0.75, 1, 0]],
];

describe("scheduleFactor", () => {
  it.each(GOLDENS)("is transformers' for %s with %i of %i steps to warm up", (schedule, warmupSteps, totalSteps, factors) => {
    for (const [step, factor] of factors.entries())
      expect(scheduleFactor(schedule, step, { warmupSteps, totalSteps })).toBeCloseTo(factor, 14);
  });

  it.each([
    [{ warmupSteps: -1, totalSteps: 5 }, 0, "warmupSteps"],
    [{ warmupSteps: 0, totalSteps: 5.5 }, 0, "totalSteps"],
    [{ warmupSteps: 0, totalSteps: 5 }, Number.NaN, "stepsDone"],
  ])("refuses %o at step %s", (options, stepsDone, argument) => {
    try {
      scheduleFactor("linear", stepsDone, options);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ op: "scheduleFactor", argument });
    }
  });

  it("refuses a schedule it does not know", () => {
    const name: string = "sawtooth";
    expect(() => scheduleFactor(name as Schedule, 0, { warmupSteps: 0, totalSteps: 5 })).toThrow(ArgumentError);
  });
});
