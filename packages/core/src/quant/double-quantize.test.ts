import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DOUBLE_QUANT_BLOCK, doubleQuantize, meanAbsmax, undoDoubleQuantize } from "./double-quantize.ts";
import { nf4 } from "./nf4.ts";
import { quantizedBytes } from "./quantized-bytes.ts";

const codes = new Uint8Array(0);

describe("doubleQuantize", () => {
  it("gives what bitsandbytes gives for two scales", () => {
    // The case of 64 weights in blocks of 32 of the goldens (bitsandbytes 0.50): scales 1 and 0.825829267501831.
    const q = doubleQuantize({ codes, absmax: Float32Array.of(1, 0.825829267501831) });
    expect(q.offset).toBe(0.9129146337509155);
    expect([...q.absmaxCodes]).toEqual([255, 0]);
    expect([...q.absmax2]).toEqual([0.08708536624908447]);
  });

  it("brings equal scales back exactly", () => {
    const absmax = new Float32Array(300).fill(0.125);
    expect(undoDoubleQuantize(doubleQuantize({ codes, absmax })).absmax).toEqual(absmax);
  });

  it("subtracts the offset it is given", () => {
    const q = doubleQuantize({ codes, absmax: Float32Array.of(1, 3) }, 1);
    expect(q).toMatchObject({ offset: 1, absmaxCodes: Uint8Array.of(127, 255), absmax2: Float32Array.of(2) });
  });

  it("of no scales has offset 0", () => {
    expect(doubleQuantize({ codes, absmax: new Float32Array(0) })).toEqual({
      codes,
      absmaxCodes: new Uint8Array(0),
      absmax2: new Float32Array(0),
      offset: 0,
    });
  });

  it("keeps every scale within half the widest step of the map", () => {
    const scales = fc.array(fc.float({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(scales, (list) => {
        const absmax = Float32Array.from(list);
        const q = doubleQuantize({ codes, absmax });
        const { absmax: restored } = undoDoubleQuantize(q);
        for (const [i, scale] of absmax.entries()) {
          const bound = q.absmax2[Math.floor(i / DOUBLE_QUANT_BLOCK)]! * 0.00704 + 1e-6 * (scale + q.offset); // 0.9/64/2, and −1 to the map's first value
          expect(Math.abs(restored[i]! - scale)).toBeLessThanOrEqual(bound);
        }
      }),
    );
  });
});

describe("meanAbsmax", () => {
  it("sums in f64, so that many equal scales give their own value", () => {
    expect(meanAbsmax(new Float32Array(100_000).fill(Math.fround(0.1)))).toBe(Math.fround(0.1));
  });
});

describe("quantizedBytes", () => {
  // Bits a weight, paper §3 and bitsandbytes: 4 + 32/B plain, 4 + 8/B + 32/(256 B) double-quantized.
  it.each([
    [32, 5, 4.254],
    [64, 4.5, 4.127],
    [128, 4.25, 4.063],
    [256, 4.125, 4.0317],
  ])("counts the bits a weight of block size %i", (blockSize, plain, double) => {
    const n = 2 ** 26;
    const bits = (doubleQuant: boolean): number => {
      const { codes: codeBytes, scales } = quantizedBytes(nf4({ blockSize, doubleQuant }), n);
      return (8 * (codeBytes + scales)) / n;
    };
    expect(bits(false)).toBe(plain);
    expect(bits(true)).toBeCloseTo(double, 3);
  });

  it("counts the bytes that quantizing makes", () => {
    expect(quantizedBytes(nf4({ blockSize: 32 }), 65)).toEqual({ codes: 33, scales: 3 + 4 + 4 });
    expect(quantizedBytes(nf4({ blockSize: 32, doubleQuant: false }), 65)).toEqual({ codes: 33, scales: 12 });
  });
});
