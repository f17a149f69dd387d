import { readFileSync } from "node:fs";
import { UnsupportedError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { TENSOR_TYPES, type TensorTypeName } from "../gguf-types.ts";
import { dequantize } from "./dequantize.ts";

interface Case {
  readonly type: TensorTypeName;
  readonly blocks: string;
  readonly numbers: string;
}

const REFERENCE = new URL("../../../../../../test/reference/gguf-dequantize.json", import.meta.url);
const { versions, cases } = JSON.parse(readFileSync(REFERENCE, "utf8")) as { versions: { gguf: string }; cases: Case[] };

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, "base64"));
/** Bits, with one pattern for all NaN: which one a NaN has is not told by arithmetic. */
const bitsOf = (numbers: Float32Array<ArrayBuffer>): number[] =>
  [...new Uint32Array(numbers.buffer)].map((bits, i) => (Number.isNaN(numbers[i]) ? 0x7fc00000 : bits));

describe(`random blocks give the bits that gguf-py ${versions.gguf} gives`, () => {
  test.each(cases)("$type", ({ type, blocks, numbers }) => {
    const expected = new Float32Array(bytesOf(numbers).buffer);
    expect(bitsOf(dequantize(type, bytesOf(blocks)))).toEqual(bitsOf(expected));
    expect(expected.some((y) => y !== 0 && Number.isFinite(y))).toBe(true);
  });
});

test("types that are not read are refused by name", () => {
  const read = new Set(cases.map(({ type }) => type));
  const others = (Object.keys(TENSOR_TYPES) as TensorTypeName[]).filter((type) => !read.has(type));
  expect(others).toContain("IQ4_XS");
  for (const type of others) {
    expect(() => dequantize(type, new Uint8Array(0))).toThrow(UnsupportedError);
    expect(() => dequantize(type, new Uint8Array(0))).toThrow(new RegExp(`is ${type}, which is not read.*Q4_K`));
  }
});
