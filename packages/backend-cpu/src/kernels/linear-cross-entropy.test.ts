import { numberToBf16, numberToF16 } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats, ints, noise, type Values } from "./against-plain.fixture.ts";

const compare = againstPlain();

const heads: Record<string, (values: Values) => Values> = {
  f32: (values) => values,
  bf16: ({ shape, data }) => ({ shape, dtype: "bf16", data: Uint16Array.from(data, numberToBf16) }),
  f16: ({ shape, data }) => ({ shape, dtype: "f16", data: Uint16Array.from(data, numberToF16) }),
};

describe("linearCrossEntropy", () => {
  it.each([
    { rows: 1, n: 1, V: 1 },
    { rows: 3, n: 5, V: 9 },
    { rows: 70, n: 24, V: 200 },
    { rows: 259, n: 16, V: 130 },
    { rows: 6, n: 67, V: 1025 },
    { rows: 5, n: 8, V: 600 },
    { rows: 0, n: 8, V: 6 },
  ])(
    "is the plain one for $rows rows of $n against $V entries, with gradient and without, capped and not, for each dtype of the head",
    async ({ rows, n, V }) => {
      for (const dtype of ["f32", "bf16", "f16"]) {
        const head = heads[dtype]!(floats([V, n], noise(2)));
        const inputs = [floats([rows, n], (i) => 3 * noise(1)(i)), head, ints([rows], (i) => (i * 7919) % V)];
        for (const [withGradient, softcap] of [true, false].flatMap((w) => [null, 0.8, 30].map((cap) => [w, cap] as const)))
          await compare(
            {
              op: "linearCrossEntropy",
              inputs,
              outputs: [
                { shape: [rows], dtype: "f32" },
                { shape: [withGradient ? rows : 0, n], dtype: "f32" },
              ],
              attrs: { withGradient, softcap },
            },
            { absolute: 4e-6, relative: 2e-6 },
          );
      }
    },
  );
  it("goes through rows in chunks where they are long", async () => {
    const [rows, n, V] = [126, 8200, 70];
    const inputs = [floats([rows, n], (i) => 0.1 * noise(1)(i)), floats([V, n], noise(2)), ints([rows], (i) => i % V)];
    await compare(
      {
        op: "linearCrossEntropy",
        inputs,
        outputs: [
          { shape: [rows], dtype: "f32" },
          { shape: [rows, n], dtype: "f32" },
        ],
        attrs: { withGradient: true, softcap: null },
      },
      { absolute: 1e-4, relative: 2e-6 }, // sums of 8200 numbers, one after the other in f32
    );
  }, 30_000);

  it("loses none of the many entries whose probability is next to nothing beside one", async () => {
    const [rows, n, V] = [4, 8, 65536];
    // one logit of 17 and all others 0: each adds 4e-8 to a sum of 1, which f32 rounds away, and all together 0.3 %
    const inputs = [
      floats([rows, n], (i) => (i % n === 0 ? 1 : 0)),
      floats([V, n], (i) => (i === 0 ? 17 : i % n === 0 ? 0 : 1)),
      ints([rows], (i) => V - 1 - i),
    ];
    await compare(
      {
        op: "linearCrossEntropy",
        inputs,
        outputs: [
          { shape: [rows], dtype: "f32" },
          { shape: [rows, n], dtype: "f32" },
        ],
        attrs: { withGradient: true, softcap: null },
      },
      { absolute: 1e-5, relative: 2e-6 },
    );
  });
});
