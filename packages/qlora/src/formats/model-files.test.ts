import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../fuzz-cases.fixture.ts";
import { damaged } from "../json-damage.fixture.ts";
import { type Folder, memoryFolder } from "./folder.ts";
import { openModelFiles } from "./model-files.ts";
import { encodeSafetensors } from "./safetensors-layout.ts";

const shard = (...names: string[]) =>
  encodeSafetensors(names.map((name) => ({ name, dtype: "U8", shape: [1], data: Uint8Array.of(name.charCodeAt(0)) })));
const index = (weight_map: unknown) => new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 3 }, weight_map }));
const INDEX = "model.safetensors.index.json";

/** Counts what is open, so that nothing is left open. */
function folder(files: Record<string, Uint8Array>) {
  const inner = memoryFolder(new Map(Object.entries(files)), "m");
  const counted = { ...inner, open: 0 };
  const open: Folder["open"] = async (file) => {
    const source = await inner.open(file);
    counted.open++;
    return { ...source, close: async () => void counted.open-- };
  };
  return { counts: counted, folder: { ...inner, open } };
}

test("one file gives its tensors", async () => {
  const { folder: f, counts } = folder({ "model.safetensors": await shard("a", "b"), [INDEX]: index({}) });
  const model = await openModelFiles(f);
  expect(model.files).toEqual(["model.safetensors"]);
  expect(await model.tensors.get("b")?.read()).toEqual(Uint8Array.of(98));
  await model.close();
  expect(counts.open).toBe(0);
});

test("shards give theirs, each from its file", async () => {
  const { folder: f, counts } = folder({
    "2.safetensors": await shard("c"),
    "1.safetensors": await shard("b", "a"),
    [INDEX]: index({ c: "2.safetensors", a: "1.safetensors", b: "1.safetensors" }),
  });
  const model = await openModelFiles(f);
  expect(model.files).toEqual(["1.safetensors", "2.safetensors"]);
  expect([...model.tensors].map(([name, { file }]) => [name, file])).toEqual([
    ["a", "m/1.safetensors"],
    ["b", "m/1.safetensors"],
    ["c", "m/2.safetensors"],
  ]);
  await model.close();
  expect(counts.open).toBe(0);
});

describe("index and shards that disagree are refused, and nothing is left open:", () => {
  const ab = { a: "1.safetensors", b: "2.safetensors" };
  test.each<[string, unknown, Record<string, string[]>, RegExp]>([
    ["a shard that is not there", { a: "1.safetensors", b: "3.safetensors" }, {}, /names the shard "3\.safetensors"/],
    ["a tensor its shard lacks", { ...ab, c: "2.safetensors" }, {}, /m\/2\.safetensors: lacks the tensor "c"/],
    [
      "a tensor the index does not list",
      { a: "1.safetensors" },
      { "1.safetensors": ["a", "b"] },
      /holds the tensor "b", which .* does not list/,
    ],
    ["a tensor in two shards", ab, { "2.safetensors": ["b", "a"] }, /holds the tensor "a", which m\/1\.safetensors holds too/],
    ["tensors in each other's shards", { a: "2.safetensors", b: "1.safetensors" }, {}, /puts into 2\.safetensors/],
    ["a shard outside the folder", { a: "../1.safetensors" }, {}, /not a shard's name/],
    ["a shard of another kind", { a: "pytorch_model.bin" }, {}, /not a shard's name/],
    ["no tensors", {}, {}, /lists no tensors/],
    ["a map that is none", ["1.safetensors"], {}, /"weight_map" is/],
    ["places that are no names", { a: 1 }, {}, /"weight_map\.a" is 1/],
    ["no map", undefined, {}, /"weight_map" is missing/],
  ])("%s", async (_, map, changed, message) => {
    const contents: Record<string, string[]> = { "1.safetensors": ["a"], "2.safetensors": ["b"], ...changed };
    const files = Object.fromEntries(
      await Promise.all(Object.entries(contents).map(async ([name, names]) => [name, await shard(...names)] as const)),
    );
    const { folder: f, counts } = folder({ ...files, [INDEX]: index(map) });
    const opening = openModelFiles(f);
    await expect(opening).rejects.toThrow(FormatError);
    await expect(opening).rejects.toThrow(message);
    expect(counts.open).toBe(0);
  });

  test("an index that is not JSON", async () => {
    await expect(openModelFiles(folder({ [INDEX]: new TextEncoder().encode("{") }).folder)).rejects.toThrow(/index\.json: is not JSON/);
  });

  test("a damaged second shard", async () => {
    const { folder: f, counts } = folder({ "1.safetensors": await shard("a"), "2.safetensors": new Uint8Array(4), [INDEX]: index(ab) });
    await expect(openModelFiles(f)).rejects.toThrow(/m\/2\.safetensors: has 4 bytes/);
    expect(counts.open).toBe(0);
  });
});

describe("a folder without safetensors weights is the user's error, which says what it holds:", () => {
  test.each([
    ["pytorch_model.bin", /a pickle, which can run code .* Convert it once with transformers/],
    ["model.pt", /model\.pt, a pickle/],
    ["model-00001-of-00002.safetensors", /not the index model\.safetensors\.index\.json/],
    ["adapter_model.safetensors", /an adapter, not a model/],
    ["readme.md", /It holds readme\.md\./],
  ])("%s", async (file, message) => {
    const opening = openModelFiles(memoryFolder(new Map([[file, new Uint8Array(1)]]), "m"));
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });

  test("several GGUF files", async () => {
    const files = new Map(["a.gguf", "config.json", "b.gguf"].map((name) => [name, new Uint8Array(1)]));
    await expect(openModelFiles(memoryFolder(files, "m"))).rejects.toThrow("m: holds 2 GGUF files: a.gguf, b.gguf. Give the path of one.");
  });
});

test("an index is read or refused with a FormatError, whatever is in it, and nothing is left open", { timeout: FUZZ_TIMEOUT }, async () => {
  const shards = { "1.safetensors": await shard("a", "b"), "2.safetensors": await shard("c") };
  const sound = { metadata: { total_size: 3 }, weight_map: { a: "1.safetensors", b: "1.safetensors", c: "2.safetensors" } };
  const text = JSON.stringify(sound);
  const values = damaged(sound).map((json) => JSON.stringify(json));
  const letters = fc
    .array(fc.tuple(fc.nat(text.length), fc.nat(2), fc.constantFrom(...'\0"{}[]:,.1e\\uD8/é')), { minLength: 1, maxLength: 5 })
    .map((edits) => edits.reduce((json, [at, taken, letter]) => json.slice(0, at) + letter + json.slice(at + taken), text));
  await fc.assert(
    fc.asyncProperty(fc.oneof(values, letters), async (json) => {
      const { folder: f, counts } = folder({ ...shards, [INDEX]: new TextEncoder().encode(json) });
      try {
        const { tensors, close } = await openModelFiles(f);
        expect(["a,b", "a,b,c", "c"]).toContain([...tensors.keys()].join());
        await close();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
      expect(counts.open).toBe(0);
    }),
    { numRuns: fuzzCases(1000) },
  );
});
