import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairedMean } from "./paired-mean.ts";

describe("a mean over windows", () => {
  it("weighs windows by their tokens", () => {
    expect(pairedMean([1, 4], [3, 1]).mean).toBe(1.75);
  });

  it("has the interval of a plain mean where windows weigh the same: 1.96·s/√n", () => {
    const values = [1, 2, 4, 7, 11];
    const deviation = Math.sqrt(values.reduce((t, x) => t + (x - 5) ** 2, 0) / 4);
    expect(pairedMean(values, [8, 8, 8, 8, 8]).halfWidth).toBeCloseTo((1.96 * deviation) / Math.sqrt(5), 12);
  });

  it("has no interval for one window, and one of nothing where all agree", () => {
    expect(pairedMean([2], [5])).toEqual({ mean: 2, halfWidth: Number.NaN });
    fc.assert(
      fc.property(
        fc.double({ min: -9, max: 9, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 9 }),
        (x, weights) => {
          expect(
            pairedMean(
              weights.map(() => x),
              weights,
            ).halfWidth,
          ).toBeLessThan(1e-12);
        },
      ),
    );
  });
});
