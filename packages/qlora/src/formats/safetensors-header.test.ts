import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzzCases } from "../fuzz-cases.fixture.ts";
import { parseSafetensorsHeader } from "./safetensors-header.ts";

const parseText = (text: string, dataBytes: number) => parseSafetensorsHeader("f", new TextEncoder().encode(text), dataBytes);
const parse = (header: unknown, dataBytes: number) => parseText(JSON.stringify(header), dataBytes);
const entry = (dtype: unknown, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });

describe("a sound header", () => {
  test("gives type, shape and place of each tensor, and the metadata", () => {
    const header = parse({ __metadata__: { format: "pt" }, w: entry("BF16", [2, 3], [4, 16]), b: entry("F32", [], [0, 4]) }, 16);
    expect([...header.metadata]).toEqual([["format", "pt"]]);
    expect(header.tensors.get("w")).toEqual({ dtype: "BF16", shape: [2, 3], begin: 4, end: 16 });
    expect(header.tensors.get("b")).toEqual({ dtype: "F32", shape: [], begin: 0, end: 4 });
  });

  test("may be empty, hold empty tensors, and end in spaces", () => {
    expect(parse({}, 0).tensors.size).toBe(0);
    expect(parse({ a: entry("F32", [0, 5], [0, 0]), b: entry("U8", [1], [0, 1]), c: entry("U8", [0], [1, 1]) }, 1).tensors.size).toBe(3);
    expect(parseText('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}    ', 1).tensors.size).toBe(1);
  });

  test("may pack several elements of fewer than eight bits in a byte", () => {
    expect(parse({ a: entry("F4", [6], [0, 3]) }, 3).tensors.get("a")?.end).toBe(3);
  });

  test("may name a tensor __proto__ or constructor", () => {
    const text =
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
    expect([...parseText(text, 2).tensors.keys()]).toEqual(["__proto__", "constructor"]);
  });
});

describe("refuses", () => {
  const u8 = (begin: number, end: number) => entry("U8", [end - begin], [begin, end]);
  const cases: [string, unknown, number, RegExp][] = [
    ["an unknown dtype", { a: entry("F31", [1], [0, 4]) }, 4, /"a": dtype "F31"/],
    ["a dtype that is a name of Object", { a: entry("toString", [1], [0, 4]) }, 4, /dtype "toString"/],
    ["a shape that is not a list", { a: entry("U8", 4, [0, 4]) }, 4, /shape 4/],
    ["a negative size", { a: entry("U8", [-1], [0, 4]) }, 4, /shape \[-1\]/],
    ["a fraction of a size", { a: entry("U8", [0.5], [0, 4]) }, 4, /shape \[0\.5\]/],
    ["a size beyond exact numbers", { a: entry("U8", [2 ** 53], [0, 4]) }, 4, /shape/],
    ["a product that overflows", { a: entry("U8", [2 ** 30, 2 ** 30], [0, 4]) }, 4, /too large/],
    ["a product that overflows before a zero", { a: entry("U8", [2 ** 50, 2 ** 50, 0], [0, 0]) }, 0, /too large/],
    ["more dimensions than any tensor has", { a: entry("U8", new Array(65).fill(1), [0, 1]) }, 1, /65 dimensions/],
    [
      "bytes that do not fit the shape",
      { a: entry("F32", [2], [0, 7]) },
      7,
      /\[2\] of F32 takes 8 bytes, but data_offsets \[0, 7\] hold 7/,
    ],
    ["half a byte", { a: entry("F4", [3], [0, 2]) }, 2, /whole byte/],
    ["offsets the wrong way round", { a: entry("U8", [0], [4, 0]) }, 4, /hold -4/],
    ["three offsets", { a: entry("U8", [1], [0, 1, 2]) }, 1, /two whole numbers/],
    ["an end outside the file", { a: u8(0, 9) }, 8, /ends at byte 9 of 8/],
    ["overlapping tensors", { a: u8(0, 4), b: u8(2, 6) }, 6, /"b" starts at byte 2, inside/],
    ["one place for two tensors", { a: u8(0, 4), b: u8(0, 4) }, 4, /inside/],
    ["a hole between tensors", { a: u8(0, 4), b: u8(5, 6) }, 6, /hole after 4/],
    ["a hole at the start", { a: u8(1, 4) }, 4, /hole after 0/],
    ["bytes after the last tensor", { a: u8(0, 4) }, 5, /end at byte 4, but the file has 5/],
    ["metadata that is not strings", { __metadata__: { a: 1 } }, 0, /"a" is 1/],
    ["metadata that is a list", { __metadata__: ["pt"] }, 0, /__metadata__/],
    ["a tensor that is not an object", { a: [1] }, 0, /"a": is \[1\]/],
    ["nesting without end", JSON.parse(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`), 0, /nested/],
  ];
  test.each(cases)("%s", (_, header, dataBytes, message) => {
    expect(() => parse(header, dataBytes)).toThrow(FormatError);
    expect(() => parse(header, dataBytes)).toThrow(message);
  });

  const one = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  const texts: [string, string, RegExp][] = [
    ["nothing", "", /start with/],
    ["a space before the object", ` {"a":${one}}`, /start with/],
    ["a list", "[]", /start with/],
    ["JSON that ends early", '{"a":', /not JSON/],
    ["text after the object", `{"a":${one}} x`, /not JSON/],
    ["one tensor's name twice", `{"a":${one},"a":${one}}`, /twice/],
    ["one key of a tensor twice", '{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', /twice/],
    ["a string without end", '{"a', /not JSON/],
    ["a million brackets", `{"a":${"[".repeat(1e6)}`, /nested/],
    ["five million parts", `{"a":[${"1,".repeat(5e6)}1]}`, /more than 4000000 parts/],
  ];
  test.each(texts)("%s", (_, text, message) => {
    expect(() => parseText(text, 1)).toThrow(FormatError);
    expect(() => parseText(text, 1)).toThrow(message);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseSafetensorsHeader("f", new Uint8Array([0x7b, 0xff, 0x7d]), 0)).toThrow(/not UTF-8/);
  });

  test("and shows names from the file cut short and without control characters", () => {
    const name = `\u001b[2J\u202e${"x".repeat(1e5)}`;
    const attempt = () => parse({ [name]: entry("F31", [1], [0, 1]) }, 1);
    expect(attempt).toThrow(/\\u001b\[2J\\u202ex+…/);
    expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringContaining("x".repeat(200)) }));
  });
});

test("any JSON at all is parsed or refused with a FormatError", () => {
  const shape = fc.array(fc.oneof(fc.nat(5), fc.double(), fc.maxSafeInteger()), { maxLength: 4 });
  const offsets = fc.array(fc.oneof(fc.nat(40), fc.double()), { maxLength: 3 });
  const tensor = fc.oneof(
    fc.jsonValue(),
    fc.record({ dtype: fc.constantFrom("F32", "U8", "F4", "X", 1), shape, data_offsets: offsets }, { requiredKeys: [] }),
  );
  const header = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("a", "__metadata__", "__proto__")), tensor, { maxKeys: 5 });
  fc.assert(
    fc.property(header, fc.nat(64), (json, dataBytes) => {
      try {
        const { tensors } = parse(json, dataBytes);
        expect([...tensors.values()].reduce((n, t) => n + t.end - t.begin, 0)).toBe(dataBytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: fuzzCases(2000) },
  );
});
