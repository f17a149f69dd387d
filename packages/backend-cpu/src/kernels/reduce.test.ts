import { type Shape, sizeOf } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

const PAIRS: [large: Shape, small: Shape][] = [
  [[], []],
  [[7], []],
  [
    [5, 9],
    [5, 9],
  ],
  [[5, 9], [9]],
  [
    [5, 9],
    [5, 1],
  ],
  [[300, 577], [577]],
  [
    [300, 577],
    [300, 1],
  ],
  [[1_000_003], []],
  [
    [3, 40_000],
    [3, 1],
  ],
  [
    [4, 3, 5],
    [4, 1, 5],
  ],
  [
    [4, 3, 5],
    [3, 1],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 4, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [2, 3, 2, 3, 2],
    [2, 1, 2, 1, 2],
  ],
  [[0, 3], [3]],
  [
    [2, 0],
    [2, 1],
  ],
];

describe("reductions", () => {
  it("sum to any shape that broadcasts, a million numbers included", async () => {
    for (const [large, small] of PAIRS)
      await compare(
        {
          op: "sumTo",
          inputs: [floats(large, (i) => 1 + noise(1)(i))],
          outputs: [{ shape: small, dtype: "f32" }],
          attrs: { shape: small },
        },
        { relative: 2 ** -23 },
      );
  });
  it("find the largest, −∞ of nothing, NaN where one is", async () => {
    for (const [large, small] of PAIRS.filter(([shape]) => sizeOf(shape) < 500_000))
      for (const special of [-1, 2, 11])
        await compare({
          op: "maxTo",
          inputs: [floats(large, (i) => (i === special ? Number.NaN : i % 5 === 0 ? Number.NEGATIVE_INFINITY : noise(1)(i) - 2))],
          outputs: [{ shape: small, dtype: "f32" }],
          attrs: { shape: small },
        });
  });
  it("broadcastTo repeats", async () => {
    for (const [large, small] of PAIRS)
      await compare({
        op: "broadcastTo",
        inputs: [floats(small, noise(1))],
        outputs: [{ shape: large, dtype: "f32" }],
        attrs: { shape: large },
      });
  });
  it("argmax gives the first of equals, and NaN before all", async () => {
    const rows = [
      (i: number) => noise(1)(i),
      () => 3,
      (i: number) => (i === 37 ? Number.NaN : i === 60 ? Number.NaN : i),
      () => Number.NEGATIVE_INFINITY,
      (i: number) => (i === 5 || i === 70 ? Number.POSITIVE_INFINITY : 0),
      (i: number) => (i % 2 ? -0 : 0),
    ];
    for (const n of [1, 3, 80, 81, 50_001])
      await compare({
        op: "argmax",
        inputs: [floats([rows.length, n], (i) => rows[Math.floor(i / n)]!(i % n))],
        outputs: [{ shape: [rows.length], dtype: "i32" }],
      });
  });
});
