import { describe, expect, it } from "vitest";
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from "./half.ts";

// The largest finite pattern of each is one below its infinity.
const TYPES = [
  { name: "f16", widen: f16ToNumber, narrow: numberToF16, infinity: 0x7c00, largest: 65504, smallest: 2 ** -24, nan: 0x7e00 },
  {
    name: "bf16",
    widen: bf16ToNumber,
    narrow: numberToBf16,
    infinity: 0x7f80,
    largest: 3.3895313892515355e38,
    smallest: 2 ** -133,
    nan: 0x7fc0,
  },
] as const;

/** The f32 next to x, `by` units in the last place further from zero. */
function neighbour(x: number, by: 1 | -1): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0]! += by;
  return new Float32Array(bits.buffer)[0]!;
}

describe.each(TYPES)("$name", ({ widen, narrow, infinity, largest, smallest, nan }) => {
  it("comes back from f32 with the same bits, all 65,536 patterns", () => {
    const changed = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = widen(bits);
      const isNaNPattern = (bits & 0x7fff) > infinity;
      if (Number.isNaN(value) !== isNaNPattern) changed.push(bits);
      else if (!isNaNPattern && (narrow(value) !== bits || Math.fround(value) !== value)) changed.push(bits);
    }
    expect(changed).toEqual([]);
  });

  it("ascends with its bits", () => {
    const wrong = [];
    for (let bits = 0; bits < infinity; bits++) if (!(widen(bits) < widen(bits + 1))) wrong.push(bits);
    expect(wrong).toEqual([]);
  });

  it("rounds a tie to the even neighbour, and an f32 step beside the tie to the nearer one", () => {
    const wrong = [];
    for (const sign of [0, 0x8000])
      for (let bits = 0; bits < infinity - 1; bits++) {
        const [low, high] = [sign | bits, sign | (bits + 1)];
        const middle = (widen(low) + widen(high)) / 2; // exact in f32: one bit more than either
        const even = bits % 2 === 0 ? low : high;
        if (narrow(middle) !== even || narrow(neighbour(middle, -1)) !== low || narrow(neighbour(middle, 1)) !== high) wrong.push(low);
      }
    expect(wrong).toEqual([]);
  });

  it("rounds to infinity from half a step above its largest number", () => {
    expect(widen(infinity - 1)).toBe(largest);
    const half = (largest - widen(infinity - 2)) / 2;
    expect(narrow(largest + half)).toBe(infinity);
    expect(narrow(-largest - half)).toBe(infinity | 0x8000);
    expect(narrow(neighbour(largest + half, -1))).toBe(infinity - 1);
    expect(narrow(Number.POSITIVE_INFINITY)).toBe(infinity);
    expect(narrow(Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000);
  });

  it("keeps the smallest number and the sign of zero", () => {
    expect(widen(1)).toBe(smallest);
    expect(narrow(smallest / 2)).toBe(0);
    expect(narrow(-smallest / 2)).toBe(0x8000);
    expect(widen(0x8000)).toBe(-0);
    expect(narrow(-0)).toBe(0x8000);
  });

  it("has one NaN to write and many to read", () => {
    expect(narrow(Number.NaN)).toBe(nan);
    expect([nan, infinity + 1, 0xffff].map(widen)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
