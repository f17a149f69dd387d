import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ArgumentError, FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fuzzCases } from "../fuzz-cases.fixture.ts";
import { bytesSource } from "./byte-source.ts";
import { openSafetensors } from "./safetensors.ts";
import { BITS, type SafetensorsDType } from "./safetensors-dtype.ts";
import { encodeSafetensors, type TensorToStore } from "./safetensors-layout.ts";

const reference = fileURLToPath(new URL("../../../../../shared/reference/", import.meta.url));

const wholeBytes = (Object.keys(BITS) as SafetensorsDType[]).filter((dtype) => BITS[dtype] % 8 === 0);
const arbitraryTensor = fc
  .record({
    name: fc.string({ unit: "binary" }),
    dtype: fc.constantFrom(...wholeBytes),
    shape: fc.array(fc.nat(5), { maxLength: 3 }),
    seed: fc.nat(255),
  })
  .filter(({ name }) => name !== "__metadata__")
  .map(({ seed, ...tensor }): TensorToStore & { data: Uint8Array } => {
    const length = tensor.shape.reduce((n, d) => n * d, BITS[tensor.dtype] / 8);
    return { ...tensor, data: Uint8Array.from({ length }, (_, i) => seed + 7 * i) };
  });
const arbitraryTensors = fc.uniqueArray(arbitraryTensor, { selector: (t) => t.name, maxLength: 8 });

test("what is written is read again, whatever the names, types and shapes", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTensors, fc.dictionary(fc.string(), fc.string()), async (tensors, metadata) => {
      const file = await openSafetensors(bytesSource(await encodeSafetensors(tensors, metadata)));
      expect(Object.fromEntries(file.metadata)).toEqual({ ...metadata });
      expect(file.tensors.size).toBe(tensors.length);
      for (const { name, dtype, shape, data } of tensors) {
        const stored = file.tensors.get(name);
        expect(stored).toMatchObject({ dtype, shape, byteLength: data.length });
        expect(await stored?.read()).toEqual(data);
      }
    }),
  );
});

test("a part of a tensor is read without the rest of the file", async () => {
  const bytes = await encodeSafetensors([
    { name: "a", dtype: "U8", shape: [100], data: new Uint8Array(100).fill(1) },
    { name: "b", dtype: "U8", shape: [4], data: Uint8Array.of(5, 6, 7, 8) },
  ]);
  const asked: [number, number][] = [];
  const source = bytesSource(bytes);
  const file = await openSafetensors({
    ...source,
    read(offset, length) {
      asked.push([offset, length]);
      return source.read(offset, length);
    },
  });
  expect(await file.tensors.get("b")?.read(1, 2)).toEqual(Uint8Array.of(6, 7));
  expect(await file.tensors.get("b")?.read(4)).toEqual(new Uint8Array(0));
  const dataStart = bytes.length - 104;
  expect(asked).toEqual([
    [0, 8],
    [8, dataStart - 8],
    [dataStart + 101, 2],
    [dataStart + 104, 0],
  ]);
});

test.each([
  [-1, 1],
  [0, 5],
  [5, 0],
  [0.5, 1],
  [1, Number.NaN],
  [2 ** 53, 1],
])("a range outside the tensor is refused: %s, %s", async (offset, length) => {
  const file = await openSafetensors(
    bytesSource(await encodeSafetensors([{ name: "a", dtype: "U8", shape: [4], data: new Uint8Array(4) }])),
  );
  await expect(file.tensors.get("a")?.read(offset, length)).rejects.toThrow(ArgumentError);
});

describe("a file that is none", () => {
  const withLength = (length: bigint, rest: number) => {
    const bytes = new Uint8Array(8 + rest).fill(0x20);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  test.each([
    ["has fewer than eight bytes", new Uint8Array(7), /7 bytes/],
    ["has a header longer than itself", withLength(100n, 50), /length is 100, but the file has 58/],
    ["has a header above the limit", withLength(100_000_001n, 50), /above the limit/],
    ["has a header length that overflows", withLength(2n ** 64n - 1n, 50), /18446744073709551615/],
    ["has an empty header", withLength(0n, 0), /start with/],
  ])("%s: is refused, and its source closed", async (_, bytes, message) => {
    let closed = 0;
    const source = { ...bytesSource(bytes, "f"), close: async () => void closed++ };
    const opening = openSafetensors(source);
    await expect(opening).rejects.toThrow(FormatError);
    await expect(opening).rejects.toThrow(message);
    expect(closed).toBe(1);
  });
});

test("every truncation of a file is refused", async () => {
  const bytes = await encodeSafetensors([{ name: "a", dtype: "F32", shape: [3], data: new Uint8Array(12) }]);
  for (let length = 0; length < bytes.length; length++)
    await expect(openSafetensors(bytesSource(bytes.subarray(0, length)))).rejects.toThrow(FormatError);
});

test("a file with any of its bytes changed is read within its bounds or refused with a FormatError", async () => {
  const bytes = await encodeSafetensors([
    { name: "model.layers.0.weight", dtype: "BF16", shape: [4, 3], data: new Uint8Array(24) },
    { name: "b", dtype: "F32", shape: [2], data: new Uint8Array(8) },
  ]);
  const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const broken = bytes.slice();
      for (const { at, to } of changes) broken[at] = to;
      try {
        const file = await openSafetensors(bytesSource(broken));
        for (const tensor of file.tensors.values()) expect((await tensor.read()).length).toBe(tensor.byteLength);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: fuzzCases(2000) },
  );
});

describe.skipIf(!existsSync(reference))("files that the safetensors library wrote (skipped without ../shared/reference)", () => {
  const files = existsSync(reference)
    ? (readdirSync(reference, { recursive: true }) as string[]).filter((f) => f.endsWith(".safetensors")).sort()
    : [];

  test.each(files)("%s is read and written again byte for byte", async (name) => {
    const bytes = new Uint8Array(readFileSync(reference + name));
    const file = await openSafetensors(bytesSource(bytes, name));
    const tensors = [...file.tensors].map(([key, { dtype, shape, read }]) => ({ name: key, dtype, shape, data: () => read() }));
    const again = await encodeSafetensors(tensors.reverse(), Object.fromEntries(file.metadata));
    expect(Buffer.compare(again, bytes)).toBe(0);
  });
});
