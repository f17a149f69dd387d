import { numberToBf16, numberToF16, type Shape } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCpuBackend } from "../backend.ts";
import { againstPlain, floats, noise, type Values } from "./against-plain.fixture.ts";

type FloatType = "f32" | "bf16" | "f16";
const NARROW = { f32: (x: number) => x, bf16: numberToBf16, f16: numberToF16 };
const weights = (shape: Shape, dtype: FloatType, seed: number): Values => {
  const { data } = floats(shape, noise(seed));
  return { shape, dtype, data: Array.from(data, NARROW[dtype]) };
};

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly type: FloatType;
  readonly batch: readonly number[];
  readonly addend: "none" | "row" | "all";
}

/** The op, its operands filled with noise, and how far sums of k terms in f32 may be from those in f64. */
function call({ m, n, k, transposeA, transposeB, type, batch, addend }: Sizes) {
  const a = floats([...batch, ...(transposeA ? [k, m] : [m, k])], noise(1));
  const b = weights([...batch, ...(transposeB ? [n, k] : [k, n])], type, 2);
  const shape = [...batch, m, n];
  const c = addend === "none" ? [] : [floats(addend === "row" ? [n] : shape, noise(3))];
  const op = addend === "none" ? "matmul" : "addmm";
  return [
    { op, inputs: [...c, a, b], outputs: [{ shape, dtype: "f32" as const }], attrs: { transposeA, transposeB } },
    { absolute: 1e-6 * (1 + k) ** 0.75, relative: 1e-5 },
  ] as const;
}

const sizes = fc.record<Sizes>({
  m: fc.integer({ min: 0, max: 90 }),
  n: fc.integer({ min: 0, max: 130 }),
  k: fc.integer({ min: 0, max: 90 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  type: fc.constantFrom("f32", "bf16", "f16"),
  batch: fc.constantFrom([], [], [3], [2, 2]),
  addend: fc.constantFrom("none", "row", "all"),
});

describe("a product of matrices", () => {
  const check = againstPlain();

  it("is that of an f64 loop for any sizes, orientations, storage and addend", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (given) => check(...call(given))),
      { numRuns: 150 },
    );
  });

  const cases: [string, Partial<Sizes> & Pick<Sizes, "m" | "n" | "k">][] = [
    ["one row against many rows of B", { m: 1, n: 300, k: 576, transposeB: true, type: "bf16" }],
    ["two rows, and an n that no strip divides", { m: 2, n: 131, k: 100, transposeB: true, type: "f16", addend: "row" }],
    ["one row whose size is no multiple of 4", { m: 1, n: 70, k: 131, transposeB: true }],
    ["depth in several blocks", { m: 9, n: 40, k: 1700 }],
    ["depth in several blocks, and something added", { m: 70, n: 300, k: 1300, transposeB: true, addend: "all" }],
    ["few columns", { m: 256, n: 16, k: 576, transposeB: true }],
    ["depth in several blocks of packed rows", { m: 43, n: 130, k: 1700, addend: "all" }],
    ["more packed rows than there is room for at once", { m: 100, n: 2, k: 60_000, transposeA: true, addend: "all" }],
    [
      "more packed rows of a batch than there is room for at once",
      { m: 100, n: 2, k: 20_000, transposeA: true, batch: [3], addend: "row" },
    ],
    ["few columns of A transposed", { m: 600, n: 16, k: 64, transposeA: true, addend: "all" }],
    ["A transposed against B transposed", { m: 40, n: 70, k: 30, transposeA: true, transposeB: true, addend: "row" }],
    ["A transposed against a wide B in 16 bits", { m: 33, n: 90, k: 65, transposeA: true, type: "bf16" }],
    ["wide tasks", { m: 6, n: 2100, k: 33 }],
    ["a low rank", { m: 256, n: 1536, k: 16, transposeB: true, addend: "all" }],
  ];
  it.each(cases)("takes %s", async (_, given) => {
    await check(...call({ transposeA: false, transposeB: false, type: "f32", batch: [], addend: "none", ...given }));
  });

  it("sums an element's terms in one order whatever the other rows and columns are", async () => {
    const backend = await createCpuBackend({ threads: 2 });
    const [m, n, k] = [37, 300, 700];
    const [a, b] = [floats([m, k], noise(4)).data as Float32Array, floats([k, n], noise(5)).data as Float32Array];
    const multiply = async (rows: number, columns: number): Promise<Float32Array> => {
      const part = Float32Array.from({ length: k * columns }, (_, i) => b[Math.floor(i / columns) * n + (i % columns)]!);
      const buffers = [a.slice(0, rows * k), part, new Float32Array(rows * columns)].map((values) => {
        const buffer = backend.alloc(values.byteLength);
        backend.write(buffer, new Uint8Array(values.buffer));
        return buffer;
      });
      const [x, w, y] = buffers.map((buffer, i) => ({
        buffer,
        dtype: "f32" as const,
        shape: [
          [rows, k],
          [k, columns],
          [rows, columns],
        ][i]!,
      }));
      backend.run("matmul", [x!, w!], [y!], { transposeA: false, transposeB: false });
      const result = new Float32Array((await backend.read(y!.buffer)).buffer);
      for (const buffer of buffers) backend.free(buffer);
      return result;
    };
    const whole = await multiply(m, n);
    for (const [rows, columns] of [
      [1, 5],
      [8, 33],
      [11, 256],
    ] as const) {
      const part = await multiply(rows, columns);
      for (let i = 0; i < rows; i++) expect(part.subarray(i * columns, (i + 1) * columns)).toEqual(whole.subarray(i * n, i * n + columns));
    }
    backend.dispose();
  });

  it("passes on NaN and infinity of A and B", async () => {
    const attrs = { transposeA: false, transposeB: false };
    const a: Values = { shape: [3, 2], dtype: "f32", data: [Number.NaN, 1, 2, Number.POSITIVE_INFINITY, 0, 1] };
    const b: Values = { shape: [2, 2], dtype: "f32", data: [1, 2, 3, Number.NEGATIVE_INFINITY] };
    await check({ op: "matmul", inputs: [a, b], outputs: [{ shape: [3, 2], dtype: "f32" }], attrs });
    const half: Values = { shape: [2, 2], dtype: "f16", data: [0x7c00, 0xfc00, 0x0001, 0x83ff] };
    await check({ op: "matmul", inputs: [a, half], outputs: [{ shape: [3, 2], dtype: "f32" }], attrs });
  });
});
