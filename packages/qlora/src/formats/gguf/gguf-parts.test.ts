import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FUZZ_TIMEOUT, fuzzCases } from "../../fuzz-cases.fixture.ts";
import { type Folder, memoryFolder } from "../folder.ts";
import { type FixtureEntry, type FixtureTensor, ggufBytes } from "./gguf.fixture.ts";
import { ggufOf, openGgufOf } from "./gguf-of-folder.ts";
import { ggufPartNames } from "./gguf-part-names.ts";

const MODEL: readonly FixtureEntry[] = [
  ["general.architecture", "string", "llama"],
  ["llama.block_count", "uint32", 1],
  ["llama.context_length", "uint32", 64],
  ["llama.embedding_length", "uint32", 32],
  ["llama.feed_forward_length", "uint32", 32],
  ["llama.attention.head_count", "uint32", 4],
  ["llama.attention.layer_norm_rms_epsilon", "float32", 1e-5],
];
const tensor = (name: string, shape: readonly number[]): FixtureTensor => {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => name.length + i);
  return { name: `${name}.weight`, type: "F32", shape, data: new Uint8Array(data.buffer) };
};
const TENSORS: readonly FixtureTensor[] = [
  tensor("token_embd", [3, 32]),
  tensor("output_norm", [32]),
  ...["attn_norm", "ffn_norm"].map((name) => tensor(`blk.0.${name}`, [32])),
  ...["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].map((name) => tensor(`blk.0.${name}`, [32, 32])),
];
const NAMES = ggufPartNames("m-00001-of-00003.gguf")!;
/** As gguf-split writes places. */
const place = (no: number, count = 3, tensors = TENSORS.length): FixtureEntry[] => [
  ["split.no", "uint16", no],
  ["split.count", "uint16", count],
  ["split.tensors.count", "int32", tensors],
];
const part = (no: number, tensors: readonly FixtureTensor[], places = place(no)) =>
  ggufBytes({ entries: [...(no === 0 ? MODEL : []), ...places], tensors });
const PARTS = [part(0, TENSORS.slice(0, 4)), part(1, TENSORS.slice(4, 9)), part(2, TENSORS.slice(9))] as const;

/** Parts by their names, some of them others; what is open is counted. */
function folderOf(others: Readonly<Record<number, Uint8Array | null>> = {}, names: readonly string[] = NAMES) {
  const files = names.map((name, i) => [name, i in others ? others[i] : PARTS[i]] as const);
  const inner = memoryFolder(new Map(files.filter((file): file is readonly [string, Uint8Array] => file[1] !== null)), "m");
  const counts = { open: 0 };
  const open: Folder["open"] = async (file) => {
    const source = await inner.open(file);
    counts.open++;
    return { ...source, close: async () => void counts.open-- };
  };
  return { folder: { ...inner, open }, counts };
}

describe("a GGUF model in parts", () => {
  it("is what it is in one file, whichever part is named", async () => {
    const whole = await openGgufOf(memoryFolder(new Map([["m.gguf", ggufBytes({ entries: MODEL, tensors: TENSORS })]])), "m.gguf");
    const { folder, counts } = folderOf();
    expect(ggufOf(folder)).toBe(NAMES[0]);
    for (const name of NAMES) {
      const model = await openGgufOf(folder, name);
      expect(model.config).toEqual(whole.config);
      expect(model.files.files).toEqual(NAMES);
      expect([...model.files.tensors.keys()].sort()).toEqual([...whole.files.tensors.keys()].sort());
      for (const [name, stored] of model.files.tensors) expect(await stored.read()).toEqual(await whole.files.tensors.get(name)!.read());
      await model.files.close();
    }
    expect(counts.open).toBe(0);
  });

  it.each<[string, Record<number, Uint8Array | null>, string, RegExp]>([
    ["a part is missing", { 1: null }, "m", /lacks the part "m-00002-of-00003\.gguf"; a model of 3 parts/],
    ["the first part is missing", { 0: null }, "m", /lacks the part "m-00001-of-00003\.gguf"/],
    ["a part is there twice", { 2: PARTS[1] }, "m/m-00003-of-00003.gguf", /part 3 of 3 by its name, but its "split\.no" is 1/],
    ["a part is of another count", { 1: part(1, [], place(1, 4)) }, "m/m-00002-of-00003.gguf", /"split\.count" is 4/],
    ["a part says no place", { 1: part(1, [], []) }, "m/m-00002-of-00003.gguf", /"split\.no" is "missing"/],
    ["a place is no number", { 1: part(1, [], [["split.no", "string", "1"]]) }, "m/m-00002-of-00003.gguf", /"split\.no" is "1"/],
    [
      "a tensor is there twice",
      { 2: part(2, TENSORS.slice(8)) },
      "m/m-00003-of-00003.gguf",
      /"blk\.0\.ffn_gate\.weight", which m\/m-00002/,
    ],
    ["tensors are missing", { 1: part(1, TENSORS.slice(5, 9)) }, "m/m-00001-of-00003.gguf", /all parts have 11 tensors; they have 10/],
    [
      "more tensors are claimed",
      { 1: part(1, TENSORS.slice(4, 9), place(1, 3, -1)) },
      "m/m-00002-of-00003.gguf",
      /all parts have -1 tensors/,
    ],
    ["a part is no GGUF file", { 1: new Uint8Array(40) }, "m/m-00002-of-00003.gguf", /not a GGUF file/],
  ])("is refused where %s, by the file's name, and nothing is left open", async (_, others, file, message) => {
    const { folder, counts } = folderOf(others);
    const opened = openGgufOf(folder, NAMES[2]!);
    await expect(opened).rejects.toThrow(FormatError);
    await expect(opened).rejects.toMatchObject({ file, message: expect.stringMatching(message) });
    expect(counts.open).toBe(0);
  });

  it("is refused where the one file that is given is a part, and not named so", async () => {
    const { folder, counts } = folderOf({}, ["first.gguf"]);
    await expect(openGgufOf(folder, "first.gguf")).rejects.toThrow(UnsupportedError);
    await expect(openGgufOf(folder, "first.gguf")).rejects.toThrow(/first\.gguf: is one of 3 parts, and not named as parts are/);
    expect(counts.open).toBe(0);
  });

  it("is opened or refused with an error of ours, whatever is done to a part", { timeout: FUZZ_TIMEOUT }, async () => {
    const change = fc.tuple(fc.nat(2), fc.nat(700), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 0xff)));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = PARTS.map((sound) => sound.slice());
        for (const [no, at, value] of changes) bytes[no]![at] = value;
        const { folder, counts } = folderOf({ ...bytes });
        try {
          await (await openGgufOf(folder, NAMES[0]!)).files.close();
        } catch (error) {
          expect(error instanceof FormatError || error instanceof UnsupportedError, String(error)).toBe(true);
        }
        expect(counts.open).toBe(0);
      }),
      { numRuns: fuzzCases(500) },
    );
  });
});

it("parts are named as llama.cpp names them, and nothing else is one", () => {
  expect(ggufPartNames("a-b.Q4-00002-of-00003.gguf")).toEqual(["1", "2", "3"].map((no) => `a-b.Q4-0000${no}-of-00003.gguf`));
  for (const other of ["m.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf", "m-1-of-3.gguf", "m-00001-of-00003.safetensors"])
    expect(ggufPartNames(other)).toBeUndefined();
});
