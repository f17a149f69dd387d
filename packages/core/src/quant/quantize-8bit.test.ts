import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError } from "../error.ts";
import { dynamicMap } from "./dynamic-map.ts";
import { dequantize8Bit, quantize8Bit } from "./quantize-8bit.ts";

const value = fc.float({ min: -1000, max: 1000, noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-30);
const values = fc.array(value, { maxLength: 70 }).map((list) => Float32Array.from(list));

describe("quantize8Bit", () => {
  it("scales each block by its own largest magnitude", () => {
    const { codes, absmax } = quantize8Bit(Float32Array.of(1, -2, 0, 40, 0, 0), dynamicMap("signed"), 3);
    expect([...absmax]).toEqual([2, 40]);
    expect([...codes]).toEqual([219, 0, 127, 255, 127, 127]);
  });

  it("gives a tie to the lower value", () => {
    const map = Float32Array.from({ length: 256 }, (_, i) => i / 256); // midpoints exact in f32
    const { codes } = quantize8Bit(Float32Array.of(1, 10.5 / 256, 10.6 / 256), map, 64);
    expect([...codes]).toEqual([255, 10, 11]);
  });

  it("gives every number the nearest of the 256", () => {
    fc.assert(
      fc.property(values, fc.constantFrom("signed" as const, "unsigned" as const), (x, kind) => {
        const map = dynamicMap(kind);
        const given = kind === "signed" ? x : x.map(Math.abs);
        const { codes, absmax } = quantize8Bit(given, map, 32);
        for (const [i, number] of given.entries()) {
          const scale = absmax[Math.floor(i / 32)]!;
          const nearest = Math.min(...map.map((m) => Math.abs(number - m * scale)));
          expect(Math.abs(number - map[codes[i]!]! * scale)).toBeLessThanOrEqual(nearest + 3e-7 * scale);
        }
      }),
    );
  });

  it("keeps a zero block at zero", () => {
    const map = dynamicMap("signed");
    expect(dequantize8Bit(quantize8Bit(new Float32Array(70), map, 64), map, 64)).toEqual(new Float32Array(70));
  });
});

describe("dequantize8Bit", () => {
  it("refuses scales that are too few or too many", () => {
    const call = (): unknown => dequantize8Bit({ codes: new Uint8Array(65), absmax: new Float32Array(1) }, dynamicMap("signed"), 64);
    expect(call).toThrow(ShapeError);
  });
});
