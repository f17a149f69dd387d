import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipCoefficient, gradientNorm } from "./clip.ts";

const GRADIENTS = [Float32Array.of(0.5, -0.25, 2), Float32Array.of(-1.5)];

describe("clipping", () => {
  // torch.nn.utils.clip_grad_norm_ of torch 2.13.0, printed by test/reference/make_adamw.py.
  it("is torch's", () => {
    const norm = gradientNorm(GRADIENTS);
    expect(norm).toBe(2.561737537384033);
    const clipped = (maxNorm: number): number[] => GRADIENTS.flatMap((g) => [...g.map((x) => x * clipCoefficient(norm, maxNorm))]);
    expect(clipped(0.3)).toEqual([0.058553989976644516, -0.029276994988322258, 0.23421595990657806, -0.17566196620464325]);
    expect(clipped(1)).toEqual([0.19517995417118073, -0.09758997708559036, 0.7807198166847229, -0.5855398774147034]);
    expect(clipped(10)).toEqual([0.5, -0.25, 2, -1.5]);
  });

  it("never makes a gradient larger, and never leaves it above the bound", () => {
    const positive = fc.float({ min: Math.fround(1e-6), max: Math.fround(1e6), noNaN: true });
    fc.assert(
      fc.property(positive, positive, (norm, maxNorm) => {
        const coefficient = clipCoefficient(norm, maxNorm);
        expect(coefficient).toBeLessThanOrEqual(1);
        expect(coefficient * norm).toBeLessThanOrEqual(maxNorm * (1 + 1e-6));
      }),
    );
  });

  it("passes on a norm that is not a number", () => {
    expect(gradientNorm([Float32Array.of(1, Number.NaN)])).toBeNaN();
    expect(clipCoefficient(Number.NaN, 0.3)).toBeNaN();
  });

  it("of an infinite norm is 0, and of no gradients 1", () => {
    expect(clipCoefficient(Number.POSITIVE_INFINITY, 0.3)).toBe(0);
    expect(clipCoefficient(gradientNorm([]), 0.3)).toBe(1);
  });
});
