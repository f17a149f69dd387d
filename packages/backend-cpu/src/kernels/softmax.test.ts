import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe("softmax and logSoftmax", () => {
  it.each([[[1]], [[3, 1]], [[5, 7]], [[2, 50_001]], [[400, 130]], [[0, 4]], [[4, 0]], [[]]])("of %j are the plain ones", async (shape) => {
    const output = [{ shape, dtype: "f32" }] as const;
    const inputs = [floats(shape, (i) => 20 * noise(1)(i))];
    await compare({ op: "softmax", inputs, outputs: output }, { relative: 4e-6, absolute: 1e-37 });
    await compare({ op: "logSoftmax", inputs, outputs: output }, { relative: 4e-7, absolute: 4e-7 });
  });
  it("tell masked from impossible: −∞ among numbers is 0, a row of −∞, ∞ or NaN is NaN", async () => {
    const { NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high, NaN: none } = Number;
    const rows = [
      [low, 1, 2, low, 3],
      [low, low, low, low, low],
      [high, 1, 2, 3, 4],
      [1, none, 2, 3, 4],
      [-3e38, 3e38, 0, 0, 0],
    ];
    for (const op of ["softmax", "logSoftmax"])
      await compare(
        { op, inputs: [floats([5, 5], (i) => rows[Math.floor(i / 5)]![i % 5]!)], outputs: [{ shape: [5, 5], dtype: "f32" }] },
        { relative: 1e-6 },
      );
  });
});
