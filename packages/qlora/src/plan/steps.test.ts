import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataOrder } from "../data/order.ts";
import { batchShape } from "./batch-shape.ts";
import { planSteps } from "./steps.ts";

const lengths = [10, 20, 30, 40, 50];

describe("planSteps", () => {
  it("sees every row once an epoch, the last step with what is left", () => {
    expect(planSteps(lengths, { epochs: 1, batch: 2, accumulate: 1, order: "shuffle" })).toEqual({
      steps: 3,
      epochs: 1,
      stepsPerEpoch: 3,
      tokens: 150,
    });
    expect(planSteps(lengths, { epochs: 3, batch: 2, accumulate: 2, order: "shuffle" })).toMatchObject({
      steps: 6,
      epochs: 3,
      tokens: 450,
    });
  });

  it("takes a number of steps as it is, whatever the epochs", () => {
    expect(planSteps(lengths, { steps: 4, epochs: 9, batch: 2, accumulate: 1, order: "shuffle" })).toMatchObject({
      steps: 4,
      epochs: 1.4,
      tokens: 210,
    });
    expect(planSteps(lengths, { steps: 4, epochs: 9, batch: 2, accumulate: 1, order: "file" })).toMatchObject({
      steps: 4,
      epochs: 1.6,
      tokens: 240,
    });
  });

  it("counts the rows that the order deals out", () => {
    const sizes = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        sizes,
        sizes,
        fc.integer({ min: 1, max: 40 }),
        sizes,
        fc.constantFrom("shuffle", "file"),
        (batch, accumulate, rows, steps, order) => {
          const dealt = new DataOrder(rows, { order, batch, accumulate, seed: 1 });
          const seen = Array.from({ length: steps }, (_, step) => dealt.microBatches(step).flat().length).reduce((a, b) => a + b, 0);
          expect(planSteps(Array(rows).fill(7), { steps, epochs: 1, batch, accumulate, order }).tokens).toBe(7 * seen);
        },
      ),
    );
  });
});

describe("batchShape", () => {
  const example = (length: number, supervised: number) => ({ inputIds: new Int32Array(length), supervised });
  it("is as long as the longest row and as supervised as the most supervised rows", () => {
    expect(batchShape([example(9, 2), example(30, 1), example(12, 8)], 2)).toEqual({ batch: 2, length: 30, supervised: 10 });
  });
  it("has no more rows than there are", () => {
    expect(batchShape([example(9, 2)], 4)).toEqual({ batch: 1, length: 9, supervised: 2 });
  });
});
