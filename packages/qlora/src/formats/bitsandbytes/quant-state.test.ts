import { BLOCK_SIZES, FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzzCases } from "../../fuzz-cases.fixture.ts";
import { parseQuantState, type QuantState } from "./quant-state.ts";
import { quantStateBytes } from "./quant-state-bytes.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): QuantState => parseQuantState("f", encode(text));

/** As bitsandbytes 0.50.2 wrote it. */
const WRITTEN =
  '{"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [300, 400], "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.04926653578877449}';
const STATE: QuantState = { type: "nf4", blockSize: 64, dtype: "bf16", shape: [300, 400], offset: 0.04926653578877449 };
const PLAIN = '{"quant_type": "fp4", "blocksize": 128, "dtype": "float32", "shape": [1, 3]}';

describe("the state of a 4-bit weight", () => {
  test("is read as bitsandbytes writes it", () => {
    expect(parse(WRITTEN)).toEqual(STATE);
    expect(parse(PLAIN)).toEqual({ type: "fp4", blockSize: 128, dtype: "f32", shape: [1, 3], offset: null });
  });

  test("may end in NULs, and hold keys that are not known", () => {
    expect(parse(`${WRITTEN}\0\0`)).toEqual(STATE);
    expect(parse(PLAIN.replace("{", '{"packing_format": "x", ')).type).toBe("fp4");
  });

  test("is written to the byte as it was", () => {
    expect(new TextDecoder().decode(quantStateBytes(STATE))).toBe(WRITTEN);
    expect(new TextDecoder().decode(quantStateBytes(parse(PLAIN)))).toBe(PLAIN);
  });

  test("comes back from its bytes, whatever it says", () => {
    const size = fc.integer({ min: 1, max: 1 << 20 });
    const state = fc.record({
      type: fc.constantFrom("nf4" as const, "fp4" as const),
      blockSize: fc.constantFrom(...BLOCK_SIZES),
      dtype: fc.constantFrom("f32" as const, "f16" as const, "bf16" as const),
      shape: fc.tuple(size, size),
      offset: fc.option(fc.float({ noNaN: true, noDefaultInfinity: true })),
    });
    fc.assert(
      fc.property(state, (one) => {
        expect(parseQuantState("f", quantStateBytes(one))).toEqual(one);
      }),
    );
  });
});

describe("refuses", () => {
  const swap = (from: string, to: string): string => WRITTEN.replace(from, to);
  test.each([
    ["Python's NaN, by name", swap("0.04926653578877449", "NaN"), /"nested_offset" is "NaN"/],
    ["Python's infinities, by name", swap("0.04926653578877449", "-Infinity"), /"nested_offset" is "-Infinity"/],
    ["an offset beyond float32", swap("0.04926653578877449", "1e39"), /"nested_offset" is 1e\+39/],
    ["a NaN in the shape", swap("[300, 400]", "[NaN, 400]"), /"shape\.0" is "NaN"/],
    ["a size of zero", swap("[300, 400]", "[0, 400]"), /"shape\.0" is 0/],
    ["a fraction of a size", swap("[300, 400]", "[300, 1.5]"), /"shape\.1" is 1\.5/],
    ["three sizes", swap("[300, 400]", "[3, 10, 40]"), /"shape"/],
    ["more numbers than any weight has", swap("[300, 400]", "[2147483647, 2147483647]"), /more numbers/],
    ["a block size that is none", swap('"blocksize": 64', '"blocksize": 63'), /"blocksize" is 63 \(expected one of 32/],
    ["scales of scales in other blocks", swap('"nested_blocksize": 256', '"nested_blocksize": 64'), /"nested_blocksize" is 64/],
    ["scales of scales in another type", swap('"float32"', '"float16"'), /"nested_dtype" is "float16"/],
    ["half of what double quantization says", swap(', "nested_dtype": "float32"', ""), /not all three/],
    ["an unknown type", swap('"nf4"', '"int8"'), /"quant_type" is "int8"/],
    ["a dtype of 8 bits", swap('"bfloat16"', '"float8"'), /"dtype" is "float8"/],
    ["what is missing", "{}", /"quant_type" is missing/],
    ["a list", "[]", /object/],
    ["nothing", "", /not JSON/],
    ["text that ends early", WRITTEN.slice(0, 40), /not JSON/],
    ["a million brackets", "[".repeat(4000), /not JSON/],
    ["more than a state can be", " ".repeat(5000), /5000 bytes/],
  ])("%s", (_, text, message) => {
    expect(() => parse(text)).toThrow(FormatError);
    expect(() => parse(text)).toThrow(message);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseQuantState("f", new Uint8Array([0x7b, 0xff, 0x7d]))).toThrow(FormatError);
  });
});

/** A state, or a FormatError; nothing else. */
function parsedOrRefused(bytes: Uint8Array): void {
  try {
    const { shape, blockSize, offset } = parseQuantState("f", bytes);
    if (!(shape[0] * shape[1] <= 2 ** 40 && BLOCK_SIZES.includes(blockSize) && (offset === null || Number.isFinite(offset))))
      throw new Error(`${new TextDecoder().decode(bytes)} was taken`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** Whole numbers below a bound, one after another, from a seed: cheaper by far than to have each drawn. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("of 100,000 each, every one is parsed or refused with a FormatError:", () => {
  test("a true state with some bytes changed, left out or put in", () => {
    const source = [...encode(WRITTEN)];
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const next = numbersFrom(seed);
        const bytes = [...source];
        for (let edits = 1 + next(4); edits > 0; edits--) {
          const kind = next(3);
          bytes.splice(next(bytes.length + 1), kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [next(256)]));
        }
        parsedOrRefused(Uint8Array.from(bytes));
      }),
      { numRuns: fuzzCases(3000) },
    );
  });

  test("a state with any values in it", () => {
    const literals = ["NaN", "-Infinity", "1e999", "-0", "256", '"float32"', '"nf4"', "64", "[3, 4]", "[1e9, 1e9]", "null", "[[]]", "{}"];
    const sound = Object.entries(JSON.parse(WRITTEN) as object).map(([key, value]) => [key, JSON.stringify(value)] as const);
    const keys = [...sound.map(([key]) => key), "__proto__", "constructor"];
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const next = numbersFrom(seed);
        const all = new Map<string, string>(sound.filter(() => next(6) > 0));
        for (let changes = next(4); changes > 0; changes--) all.set(keys[next(keys.length)]!, literals[next(literals.length)]!);
        parsedOrRefused(encode(`{${[...all].map(([key, value]) => `"${key}": ${value}`).join(", ")}}`));
      }),
      { numRuns: fuzzCases(3000) },
    );
  });
});
