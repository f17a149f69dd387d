import { BLOCK_SIZES, namedFormat, type QFormat, type QFormatName } from "@qlora-js/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { againstPlain, floats, ints, noise, type Values } from "./against-plain.fixture.ts";
import { quantized } from "./quantized.fixture.ts";

const format = fc
  .record({
    name: fc.constantFrom<QFormatName>("nf4", "fp4", "int4", "e3m0"),
    blockSize: fc.constantFrom(...BLOCK_SIZES),
    doubleQuant: fc.boolean(),
  })
  .map(({ name, ...options }) => namedFormat(name, options));

const quantizeCall = (data: ArrayLike<number>, of: QFormat) => ({
  op: "quantize",
  inputs: [{ shape: [data.length], dtype: "f32" as const, data }],
  outputs: [
    { shape: [Math.ceil(data.length / 2)], dtype: "u8" as const },
    { shape: [Math.ceil(data.length / of.blockSize)], dtype: "f32" as const },
  ],
  attrs: { format: of },
});
const scalesCall = (absmax: Values) => {
  const n = absmax.data.length;
  const outputs = [
    { shape: [n], dtype: "u8" as const },
    { shape: [Math.ceil(n / 256)], dtype: "f32" as const },
    { shape: [], dtype: "f32" as const },
  ];
  return { op: "doubleQuantize", inputs: [absmax], outputs, attrs: { format: namedFormat("nf4") } };
};

describe("quantization on the device", () => {
  const check = againstPlain();

  it("gives the reference's codes and scales for any floats, sizes and formats, bit for bit", async () => {
    const values = fc.oneof(
      fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { maxLength: 300 }),
      fc.array(fc.float(), { maxLength: 200 }), // NaN, infinities and subnormals among them
      fc.array(fc.constantFrom(0, -0, 1, -1, 0.5), { maxLength: 100 }),
      fc.tuple(fc.nat(5000), fc.nat()).map(([n, seed]) => Array.from({ length: n }, (_, i) => noise(seed)(i))),
    );
    await fc.assert(
      fc.asyncProperty(values, format, async (data, of) => check(quantizeCall(data, of))),
      { numRuns: 200 },
    );
  });

  it("gives a tie to the lower level", async () => {
    for (const name of ["nf4", "fp4", "int4", "e3m0"] as const) {
      const of = namedFormat(name, { blockSize: 32 });
      const book = [...new Set(of.codeBook)].sort((a, b) => a - b);
      const ties = book.slice(1).map((value, i) => Math.fround(Math.fround(value + book[i]!) / 2));
      await check(quantizeCall([...Array.from({ length: 32 }, (_, i) => ties[i % ties.length]!).with(31, 1), ...ties], of));
    }
  });

  it("gives the reference's 8-bit scales and offset, bit for bit", async () => {
    for (const n of [0, 1, 255, 256, 257, 3000]) {
      await check(scalesCall(floats([n], (i) => 0.1 + Math.abs(noise(n)(i)))));
      await check(scalesCall(floats([n], () => 0.25))); // all alike: centred, they are zeros
    }
  });

  it("unpacks to the reference's numbers, whole or by rows, bit for bit", async () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(32, 64, 320)));
    await fc.assert(
      fc.asyncProperty(shape, format, fc.array(fc.nat(), { maxLength: 12 }), async ([rows, width], of, picks) => {
        const table = quantized([rows, width], of, rows);
        await check({ op: "dequantize", inputs: table, outputs: [{ shape: [rows, width], dtype: "f32" }], attrs: { format: of } });
        const ids = ints([picks.length], (i) => picks[i]! % rows);
        await check({
          op: "qembedding",
          inputs: [ids, ...table],
          outputs: [{ shape: [picks.length, width], dtype: "f32" }],
          attrs: { format: of },
        });
      }),
      { numRuns: 100 },
    );
  });
});
