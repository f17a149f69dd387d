import { ArgumentError, FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FUZZ_TIMEOUT, fuzzCases } from "../../fuzz-cases.fixture.ts";
import { type ByteSource, bytesSource } from "../byte-source.ts";
import { type FixtureFile, type FixtureTensor, ggufBytes } from "./gguf.fixture.ts";
import { openGguf } from "./gguf-file.ts";

const open = (file: FixtureFile) => openGguf(bytesSource(ggufBytes(file), "f.gguf"));
const f32 = (name: string, values: number[], more: Partial<FixtureTensor> = {}): FixtureTensor => ({
  name,
  type: "F32",
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
  ...more,
});

describe("a sound file", () => {
  test("gives every type of metadata value", async () => {
    const { metadata } = await open({
      entries: [
        ["u8", "uint8", 255],
        ["i8", "int8", -1],
        ["u16", "uint16", 65535],
        ["i16", "int16", -2],
        ["u32", "uint32", 4294967295],
        ["i32", "int32", -3],
        ["f32", "float32", 0.5],
        ["yes", "bool", true],
        ["no", "bool", false],
        ["text", "string", "grün\u{1f600}"],
        ["u64", "uint64", 7],
        ["large", "uint64", 2n ** 64n - 1n],
        ["i64", "int64", -4],
        ["f64", "float64", 0.1],
        ["numbers", ["int16"], [1, -2]],
        ["truths", ["bool"], [true, false]],
        ["texts", ["string"], ["a", "", "\ufeffb"]],
        ["nested", [["string"]], [["a"], [], ["b", "c"]]],
        ["none", ["float32"], []],
        ["__proto__", "string", "a name like another"],
      ],
    });
    expect(Object.fromEntries([...metadata].filter(([key]) => key !== "__proto__"))).toEqual({
      u8: 255,
      i8: -1,
      u16: 65535,
      i16: -2,
      u32: 4294967295,
      i32: -3,
      f32: 0.5,
      yes: true,
      no: false,
      text: "grün\u{1f600}",
      u64: 7,
      large: 2n ** 64n - 1n,
      i64: -4,
      f64: 0.1,
      numbers: Int16Array.of(1, -2),
      truths: Uint8Array.of(1, 0),
      texts: ["a", "", "\ufeffb"],
      nested: [["a"], [], ["b", "c"]],
      none: new Float32Array(0),
    });
    expect(metadata.get("__proto__")).toBe("a name like another");
  });

  test("gives tensors with rows first, and their bytes, all or a part", async () => {
    const data = Uint8Array.from({ length: 36 }, (_, i) => i);
    const file = await open({ tensors: [f32("a", [1, 2]), { name: "b", type: "Q4_0", shape: [2, 32], data }] });
    const [a, b] = [file.tensors.get("a")!, file.tensors.get("b")!];
    expect([a.type, a.shape, b.type, b.shape, b.byteLength]).toEqual(["F32", [2], "Q4_0", [2, 32], 36]);
    expect(new Float32Array((await a.read()).buffer)).toEqual(Float32Array.of(1, 2));
    expect(await b.read()).toEqual(data);
    expect(await b.read(18, 4)).toEqual(data.slice(18, 22));
    await expect(b.read(30, 7)).rejects.toThrow(ArgumentError);
  });

  test("may be empty, of version 2, with another alignment, with holes, and with tensors in any order", async () => {
    expect((await open({})).tensors.size).toBe(0);
    expect((await open({ version: 2, tensors: [f32("a", [3])] })).tensors.size).toBe(1);
    const aligned = await open({
      alignment: 256,
      entries: [["general.alignment", "uint32", 256]],
      tensors: [f32("a", [3]), f32("b", [4])],
    });
    expect(new Float32Array((await aligned.tensors.get("b")!.read()).buffer)).toEqual(Float32Array.of(4));
    const holes = await open({ tensors: [f32("a", [5], { offset: 32 }), f32("b", [6], { offset: 0 })] });
    expect(new Float32Array((await holes.tensors.get("a")!.read()).buffer)).toEqual(Float32Array.of(6));
  });

  test("is read a window at a time, however long its texts", async () => {
    const texts = Array.from({ length: 3000 }, (_, i) => `${i}`.repeat(i % 700));
    const bytes = ggufBytes({
      entries: [
        ["long", "string", "x".repeat(3e6)],
        ["texts", ["string"], texts],
      ],
      tensors: [f32("a", [1])],
    });
    let largest = 0;
    const inner = bytesSource(bytes);
    const source: ByteSource = {
      ...inner,
      read(offset, length) {
        largest = Math.max(largest, length);
        return inner.read(offset, length);
      },
    };
    const { metadata } = await openGguf(source);
    expect(metadata.get("texts")).toEqual(texts);
    expect(largest).toBe(3e6);
  });
});

describe("refuses", () => {
  const MAX = 2n ** 64n - 1n;
  const cases: [string, FixtureFile, RegExp][] = [
    ["another magic", { magic: 0x12345678 }, /does not start with "GGUF"/],
    ["version 1", { version: 1 }, /version 1; 2 and 3 are read/],
    ["a big-endian file", { version: 0x03000000 }, /big-endian/],
    ["a number of tensors beyond the file", { tensorCount: 1000n }, /tensor 0 takes 8 bytes.* cut short/],
    ["a number of tensors beyond any model", { tensorCount: 2n ** 40n }, /at most 65536/],
    ["a number of tensors that is no number", { tensorCount: MAX }, /18446744073709551615, above the limit/],
    ["a number of entries beyond any model", { entryCount: 10n ** 9n }, /1000000000 metadata entries/],
    [
      "a name twice",
      {
        entries: [
          ["a", "uint8", 1],
          ["a", "string", "b"],
        ],
      },
      /"a" is there twice/,
    ],
    ["a boolean that is 2", { entries: [["a", "bool", 2]] }, /"a" is 2, neither/],
    ["lists without end", { entries: [["a", [[[[["uint8"]]]]], [[[[[1]]]]]]] }, /nested deeper than 4/],
    ["an alignment that is no power of two", { entries: [["general.alignment", "uint32", 24]] }, /is 24, not a power of two/],
    ["an alignment of 0", { entries: [["general.alignment", "uint32", 0]] }, /is 0, not a power/],
    ["an alignment that is text", { entries: [["general.alignment", "string", "32"]] }, /not a power/],
    ["a tensor twice", { tensors: [f32("a", [1]), f32("a", [2])] }, /"a" is there twice/],
    ["five dimensions", { tensors: [f32("a", [1], { shape: [1, 1, 1, 1, 1] })] }, /5 dimensions/],
    ["a size beyond exact numbers", { tensors: [f32("a", [1], { shape: [MAX] })] }, /18446744073709551615/],
    ["a product that overflows", { tensors: [f32("a", [1], { shape: [2 ** 30, 2 ** 30] })] }, /too large/],
    ["a tensor of nothing", { tensors: [f32("a", [], { shape: [2 ** 40, 0] })] }, /"a" is empty, \[1099511627776, 0\]/],
    ["a type that is not known", { tensors: [f32("a", [1], { type: 4 })] }, /"a" is of type 4, which is not known/],
    ["rows that are no whole blocks", { tensors: [f32("a", [1], { type: "Q4_0", shape: [2, 48] })] }, /blocks of 32/],
    ["a place off the alignment", { tensors: [f32("a", [1], { offset: 4 })] }, /byte 4 .*alignment 32/],
    ["a place beyond exact numbers", { tensors: [f32("a", [1], { offset: MAX - 31n })] }, /above the limit/],
    ["an end beyond exact numbers", { tensors: [f32("a", [1], { offset: 2n ** 53n - 32n, shape: [64] })] }, /too large/],
    ["an end outside the file", { tensors: [f32("a", [1], { shape: [2] })] }, /ends at byte 8 of 4/],
    ["overlapping tensors", { tensors: [f32("a", Array(16).fill(1)), f32("b", [2, 3], { offset: 32 })] }, /"b" starts at byte 32, inside/],
  ];
  test.each(cases)("%s", async (_, file, message) => {
    const error: unknown = await open(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ file: "f.gguf", message: expect.stringMatching(message) });
  });

  test("a value's type that does not exist, bytes that are not UTF-8, a list longer than the file", async () => {
    const bytes = ggufBytes({ entries: [["a", "uint8", 1]] });
    bytes[33] = 13;
    await expect(openGguf(bytesSource(bytes))).rejects.toThrow(/"a" is of type 13/);
    const text = ggufBytes({ entries: [["a", "string", "b"]] });
    text[text.length - 1] = 0xff;
    await expect(openGguf(bytesSource(text))).rejects.toThrow(/"a" is not UTF-8/);
    for (const type of [["string"], ["uint64"], [["uint8"]]] as const) {
      const list = ggufBytes({ entries: [["a", type, []]] });
      new DataView(list.buffer).setBigUint64(list.length - 8, 2n ** 50n, true);
      await expect(openGguf(bytesSource(list))).rejects.toThrow(
        /the length of metadata "a" is 1125899906842624, above the limit of [0-9]\./,
      );
    }
  });

  test("a file that is cut short, wherever it is", async () => {
    const bytes = ggufBytes({
      entries: [
        ["a", ["string"], ["b", "c"]],
        ["d", "float64", 1],
      ],
      tensors: [f32("e", [1, 2])],
    });
    for (let length = 0; length < bytes.length; length++)
      await expect(openGguf(bytesSource(bytes.slice(0, length)))).rejects.toThrow(FormatError);
  });

  test("and closes the source", async () => {
    let closed = 0;
    const source = { ...bytesSource(new Uint8Array(4)), close: async () => void closed++ };
    await expect(openGguf(source)).rejects.toThrow(FormatError);
    expect(closed).toBe(1);
  });
});

test("any mutation of a file is read or refused with a FormatError, and never asks for more than there is", {
  timeout: FUZZ_TIMEOUT,
}, async () => {
  const sound = ggufBytes({
    entries: [
      ["general.architecture", "string", "llama"],
      ["n", "uint64", 3],
      ["texts", ["string"], ["a", "bc"]],
      ["lists", [["uint8"]], [[1], [2, 3]]],
    ],
    tensors: [f32("a", [1, 2, 3]), { name: "b", type: "Q8_0", shape: [2, 32], data: new Uint8Array(68) }],
  });
  const place = fc.nat(sound.length - 1);
  const edge = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);
  const mutation = fc.oneof(
    fc.record({ at: place, bytes: fc.array(fc.oneof(fc.nat(255), edge), { minLength: 1, maxLength: 8 }) }),
    fc.record({
      at: place,
      bytes: fc.constantFrom([255, 255, 255, 255, 255, 255, 255, 255], [0, 0, 0, 0, 0, 0, 32, 0], [0, 0, 0, 0, 1, 0, 0, 0]),
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.oneof(fc.constant(sound.length), place),
      async (mutations, length) => {
        const bytes = sound.slice();
        for (const { at, bytes: values } of mutations) bytes.set(values.slice(0, bytes.length - at), at);
        const cut = bytes.slice(0, length);
        let asked = 0;
        const inner = bytesSource(cut);
        const read: ByteSource["read"] = (offset, count) => {
          asked += count;
          return inner.read(offset, count);
        };
        try {
          const { tensors } = await openGguf({ ...inner, read });
          let held = 0;
          for (const tensor of tensors.values()) held += (await tensor.read()).length;
          expect(held).toBeLessThanOrEqual(cut.length);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
        expect(asked).toBeLessThanOrEqual(3 * cut.length);
      },
    ),
    { numRuns: fuzzCases(3000) },
  );
});
