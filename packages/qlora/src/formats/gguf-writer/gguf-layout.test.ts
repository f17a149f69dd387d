import { ArgumentError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../byte-source.ts";
import { openGguf } from "../gguf/gguf-file.ts";
import { TENSOR_TYPES, type TensorTypeName } from "../gguf/gguf-types.ts";
import { type GgufTensor, ggufChunks, tensorBytes } from "./gguf-layout.ts";
import { bool, bools, float32, float32s, type GgufMetadata, int32s, string, strings, uint32 } from "./gguf-value.ts";

async function written(metadata: GgufMetadata, tensors: readonly GgufTensor[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of ggufChunks(metadata, tensors)) chunks.push(chunk.slice());
  return new Uint8Array(Buffer.concat(chunks));
}

const tensorOf = (name: string, type: TensorTypeName, shape: readonly number[], bytes: readonly Uint8Array[]): GgufTensor => ({
  name,
  type,
  shape,
  pieces: () => bytes,
});

const arbitraryTensor = fc
  .record({
    name: fc.string({ minLength: 1, maxLength: 15, unit: "binary" }).filter((name) => new TextEncoder().encode(name).length < 64),
    type: fc.constantFrom<TensorTypeName>("F32", "F16", "Q8_0", "Q4_0"),
    outer: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    blocks: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(255),
  })
  .map(({ name, type, outer, blocks, seed }) => {
    const shape = [...outer, blocks * TENSOR_TYPES[type].blockSize];
    const bytes = Uint8Array.from({ length: tensorBytes({ name, type, shape }) }, (_, i) => seed + 7 * i);
    return { name, type, shape, bytes };
  });

test("what is written is read again, whatever the names, types and shapes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(arbitraryTensor, { selector: (t) => t.name, maxLength: 6 }), fc.string(), async (tensors, text) => {
      const metadata = new Map([["general.architecture", string("llama")], ...[...(text ? [["a", string(text)] as const] : [])]]);
      const split = tensors.map(({ name, type, shape, bytes }) => tensorOf(name, type, shape, [bytes.subarray(0, 3), bytes.subarray(3)]));
      const file = await openGguf(bytesSource(await written(metadata, split)));
      expect(file.metadata.get("general.architecture")).toBe("llama");
      if (text) expect(file.metadata.get("a")).toBe(text);
      expect([...file.tensors.keys()]).toEqual(tensors.map((t) => t.name));
      for (const { name, type, shape, bytes } of tensors) {
        const stored = file.tensors.get(name)!;
        expect(stored).toMatchObject({ type, shape });
        expect(await stored.read()).toEqual(bytes);
      }
    }),
    { numRuns: 200 },
  );
});

test("every kind of value is read again", async () => {
  const metadata = new Map([
    ["u", uint32(4_000_000_000)],
    ["f", float32(0.5)],
    ["t", bool(true)],
    ["n", bool(false)],
    ["s", string("Grüße\n🦙")],
    ["i", int32s([-1, 5])],
    ["r", float32s([-1.5, 0])],
    ["b", bools([true, false, true])],
    ["ss", strings(["", "Ġa", "\u0000"])],
    ["none", strings([])],
  ]);
  const file = await openGguf(bytesSource(await written(metadata, [])));
  const plain = [...file.metadata].map(([key, value]) => [key, ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value]);
  expect(Object.fromEntries(plain)).toEqual({
    u: 4_000_000_000,
    f: 0.5,
    t: true,
    n: false,
    s: "Grüße\n🦙",
    i: [-1, 5],
    r: [-1.5, 0],
    b: [1, 0, 1],
    ss: ["", "Ġa", "\u0000"],
    none: [],
  });
});

test("a large vocabulary is read again", async () => {
  const texts = Array.from({ length: 30_000 }, (_, i) => `token ${i}`);
  const file = await openGguf(
    bytesSource(
      await written(
        new Map([
          ["tokens", strings(texts)],
          ["kinds", int32s(texts.map((_, i) => i))],
        ]),
        [],
      ),
    ),
  );
  expect(file.metadata.get("tokens")).toEqual(texts);
  expect(file.metadata.get("kinds")).toEqual(Int32Array.from(texts, (_, i) => i));
});

describe("what cannot be a file is refused", () => {
  const four = new Uint8Array(16);
  test.each<[string, readonly GgufTensor[], string]>([
    ["two tensors of one name", [tensorOf("a", "F32", [4], [four]), tensorOf("a", "F32", [4], [four])], "name"],
    ["a name of 64 bytes", [tensorOf("é".repeat(32), "F32", [4], [four])], "name"],
    ["rows that are not whole blocks", [tensorOf("a", "Q8_0", [2, 33], [])], "shape"],
    ["five axes", [tensorOf("a", "F32", [1, 1, 1, 1, 4], [four])], "shape"],
    ["no axes", [tensorOf("a", "F32", [], [four.subarray(4)])], "shape"],
    ["too few bytes", [tensorOf("a", "F32", [4], [four.subarray(1)])], "pieces"],
    ["too many bytes", [tensorOf("a", "F32", [4], [four, four])], "pieces"],
  ])("%s", async (_, tensors, argument) => {
    const writing = written(new Map(), tensors);
    await expect(writing).rejects.toThrow(ArgumentError);
    await expect(writing).rejects.toMatchObject({ argument });
  });
});
