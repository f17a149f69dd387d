import { BLOCK_SIZES, namedFormat, type QFormatName } from "@qlora-js/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";
import { quantized } from "./quantized.fixture.ts";

interface Sizes {
  readonly m: number;
  readonly rows: number;
  readonly width: number;
  readonly name: QFormatName;
  readonly blockSize: number;
  readonly doubleQuant: boolean;
  readonly transposed: boolean;
  readonly addend: "none" | "row" | "all";
}

function call({ m, rows, width, name, blockSize, doubleQuant, transposed, addend }: Sizes) {
  const format = namedFormat(name, { blockSize, doubleQuant });
  const [k, n] = transposed ? [rows, width] : [width, rows];
  const c = addend === "none" ? [] : [floats(addend === "row" ? [n] : [m, n], noise(3))];
  return [
    {
      op: addend === "none" ? "qmatmul" : "qaddmm",
      inputs: [...c, floats([m, k], noise(1)), ...quantized([rows, width], format, 2)],
      outputs: [{ shape: [m, n], dtype: "f32" as const }],
      attrs: { transposed, format },
    },
    { absolute: 1e-6 * (1 + k) ** 0.75, relative: 1e-5 },
  ] as const;
}

const size = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(32, 64, 96, 128, 160));
const sizes = fc.record<Sizes>({
  m: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 2)),
  rows: size,
  width: size,
  name: fc.constantFrom("nf4", "fp4", "int4", "e3m0"),
  blockSize: fc.constantFrom(...BLOCK_SIZES),
  doubleQuant: fc.boolean(),
  transposed: fc.boolean(),
  addend: fc.constantFrom("none", "row", "all"),
});

describe("a product with a 4-bit weight", () => {
  const check = againstPlain();

  it("is that of the unpacked weight, both ways, for any sizes, format and block size", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (given) => check(...call(given))),
      { numRuns: 200 },
    );
  });

  const usual = { name: "nf4", blockSize: 64, doubleQuant: true, transposed: false, addend: "none" } as const;
  const cases: [string, Sizes][] = [
    ["one row, as in generation", { ...usual, m: 1, rows: 200, width: 576 }],
    ["one row and blocks that cross row ends", { ...usual, m: 1, rows: 67, width: 96, blockSize: 256 }],
    ["one row and more than 256 blocks", { ...usual, m: 1, rows: 40, width: 640, blockSize: 32 }],
    ["many rows", { ...usual, m: 130, rows: 320, width: 576 }],
    ["many rows, the gradient's way, depth in blocks", { ...usual, m: 70, rows: 800, width: 288, transposed: true }],
    ["few columns", { ...usual, m: 130, rows: 192, width: 96 }],
    ["few columns, the gradient's way", { ...usual, m: 130, rows: 96, width: 224, transposed: true }],
    ["a width that no run of 32 divides", { ...usual, m: 130, rows: 33, width: 65, blockSize: 32 }],
  ];
  it.each(cases)("takes %s", async (_, given) => {
    await check(...call(given));
  });
});
