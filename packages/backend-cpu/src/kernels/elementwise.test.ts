import { broadcastShapes, type Shape } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-40,
  -1e-40,
  3e38,
  -3e38,
  87,
  -87,
  89,
  -104,
  1e-8,
];

/** Numbers of all sizes, with the special ones among them. */
const values =
  (seed: number, size = 3) =>
  (i: number) =>
    i % 7 === 3 ? SPECIAL[(i * 5 + seed) % SPECIAL.length]! : size * noise(seed)(i);

const both = (op: string, a: Shape, b: Shape) => ({
  op,
  inputs: [floats(a, values(1)), floats(b, values(2))],
  outputs: [{ shape: broadcastShapes(op, a, b), dtype: "f32" }] as const,
});

const SHAPES: [Shape, Shape][] = [
  [[1], [1]],
  [[7], [7]],
  [
    [3, 16387],
    [3, 16387],
  ],
  [[5, 9], [9]],
  [
    [5, 9],
    [5, 1],
  ],
  [
    [5, 1],
    [1, 9],
  ],
  [[50_001], []],
  [[], [6]],
  [
    [2, 3, 4, 5, 6],
    [3, 1, 5, 1],
  ],
  [
    [2, 1, 2, 1, 2, 1, 3],
    [1, 2, 1, 2, 1, 2, 3],
  ],
  [[300, 700], [700]],
  [[0, 4], [4]],
];

describe("elementwise ops of two", () => {
  it.each(["add", "sub", "mul", "maximum", "minimum", "greater", "greaterEqual", "equal"])(
    "%s gives the plain bits, however its inputs broadcast",
    async (op) => {
      for (const [a, b] of SHAPES) await compare(both(op, a, b));
    },
  );
  it("div is within a rounding of the plain one", async () => {
    for (const [a, b] of SHAPES) await compare(both("div", a, b), { relative: 2 ** -23, absolute: 2e-45 });
  });
  it("equal tells −0 from nothing, and NaN from everything", async () => {
    await compare({
      op: "equal",
      inputs: [floats([5], (i) => [0, -0, Number.NaN, 1, 2][i]!), floats([5], (i) => [-0, 0, Number.NaN, 1, 3][i]!)],
      outputs: [{ shape: [5], dtype: "f32" }],
    });
  });
  it("where picks by a mask of any shape, NaN counting as not 0", async () => {
    for (const [mask, a, b] of [
      [
        [40, 500],
        [40, 500],
        [40, 500],
      ],
      [[40, 1], [500], [40, 500]],
      [[3, 1, 2], [], [5, 1]],
      [[9], [9], [1]],
    ] as const)
      await compare({
        op: "where",
        inputs: [floats(mask, values(4)), floats(a, values(5)), floats(b, values(6))],
        outputs: [{ shape: [mask, a, b].reduce((x: Shape, y: Shape) => broadcastShapes("where", x, y), []), dtype: "f32" }],
      });
  });
});

const one = (op: string, n: number, value: (i: number) => number, attrs = {}) => ({
  op,
  inputs: [floats([n], value)],
  outputs: [{ shape: [n], dtype: "f32" }] as const,
  attrs,
});

describe("elementwise ops of one", () => {
  it.each(["neg", "abs", "sign", "square", "sqrt"])("%s gives the plain bits", async (op) => {
    for (const n of [1, 6, 40_003]) await compare(one(op, n, values(3)));
  });
  it.each(["exp", "log", "tanh", "sigmoid", "erf", "sin", "cos"])(
    "%s is within 4·10⁻⁷ of the plain one, special values included",
    async (op) => {
      for (const n of [1, 6, 40_003]) await compare(one(op, n, values(3)), { relative: 4e-7, absolute: 2e-45 });
      await compare(
        one(op, 20_000, (i) => 2 * Math.exp(-i / 300) * (i % 2 ? 1 : -1)),
        { relative: 4e-7, absolute: 2e-45 },
      );
      await compare(
        one(op, 20_000, (i) => (i - 10_000) / 90),
        { relative: 4e-7, absolute: op === "log" ? 1e-7 : 2e-45 },
      );
    },
  );
  it("affine is within a rounding of each of its steps", async () => {
    for (const [factor, offset] of [
      [1, 0],
      [-0.1, 0],
      [1, 1e-3],
      [3, -2],
    ] as const)
      for (const n of [1, 6, 40_003])
        await compare(one("affine", n, values(3), { factor, offset }), { relative: 2 ** -23, absolute: 4e-7 });
  });
});
