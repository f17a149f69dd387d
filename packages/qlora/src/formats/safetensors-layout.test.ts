import { ArgumentError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeSafetensors, safetensorsChunks, type TensorToStore } from "./safetensors-layout.ts";

const tensor = (name: string, dtype: TensorToStore["dtype"], shape: number[], bytes: number): TensorToStore => ({
  name,
  dtype,
  shape,
  data: new Uint8Array(bytes),
});
const headerOf = (bytes: Uint8Array) =>
  new TextDecoder().decode(bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))));

describe("the file", () => {
  // What `safetensors.torch.save` 0.8.0 wrote for one tensor of each of these types.
  const order = [
    "U64",
    "I64",
    "F64",
    "C64",
    "F32",
    "U32",
    "I32",
    "BF16",
    "F16",
    "U16",
    "I16",
    "F8_E8M0",
    "F8_E4M3",
    "F8_E5M2",
    "I8",
    "U8",
    "BOOL",
  ] as const;
  const bytes = { U64: 8, I64: 8, F64: 8, C64: 8, F32: 4, U32: 4, I32: 4, BF16: 2, F16: 2, U16: 2, I16: 2 } as Partial<
    Record<string, number>
  >;

  test("holds wider types first, in safetensors' own order", async () => {
    const tensors = order.toReversed().map((dtype) => tensor(`t.${dtype}`, dtype, [1], bytes[dtype] ?? 1));
    expect(Object.keys(JSON.parse(headerOf(await encodeSafetensors(tensors))))).toEqual(["__metadata__", ...order.map((d) => `t.${d}`)]);
  });

  test("holds names of one type in the order of their bytes", async () => {
    const names = ["a", "Z", "\u{1f600}", "\uffee", "a.10", "a.2", "ab"];
    const header = JSON.parse(headerOf(await encodeSafetensors(names.map((name) => tensor(name, "U8", [1], 1)))));
    expect(Object.keys(header).slice(1)).toEqual(["Z", "a", "a.10", "a.2", "ab", "\uffee", "\u{1f600}"]);
  });

  test("has a header padded with spaces to eight bytes, and says which framework it is for", async () => {
    const header = headerOf(await encodeSafetensors([tensor("w", "F32", [2], 8)]));
    expect(header.trimEnd()).toBe('{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    expect(header.length % 8).toBe(0);
  });

  test("is the same whatever order its tensors are given in", async () => {
    const tensors = ["a", "b", "c", "d"].flatMap((name) => [tensor(name, "F32", [1], 4), tensor(`${name}.h`, "BF16", [1], 2)]);
    const expected = await encodeSafetensors(tensors, { y: "1", x: "2" });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(tensors, { minLength: tensors.length }), async (shuffled) => {
        expect(await encodeSafetensors(shuffled, { x: "2", y: "1" })).toEqual(expected);
      }),
    );
  });
});

test("data given as functions are asked for one at a time, in the file's order", async () => {
  const events: string[] = [];
  const lazy = (name: string): TensorToStore => ({
    name,
    dtype: "U8",
    shape: [1],
    data: async () => {
      events.push(name);
      return Uint8Array.of(1);
    },
  });
  for await (const _ of safetensorsChunks([lazy("b"), lazy("a")])) events.push("chunk");
  expect(events).toEqual(["chunk", "a", "chunk", "b", "chunk"]);
});

describe("refuses", () => {
  test.each([
    ["two tensors of one name", [tensor("a", "U8", [1], 1), tensor("a", "F32", [1], 4)], /"a" is there twice/],
    ["the name of the metadata", [tensor("__metadata__", "U8", [1], 1)], /twice/],
    ["data shorter than the shape", [tensor("a", "F32", [2, 2], 15)], /\[2, 2\] of F32 takes 16 bytes, not 15/],
    ["a shape that overflows", [tensor("a", "F32", [2 ** 40, 2 ** 40], 4)], /cannot be stored/],
    ["half a byte", [tensor("a", "F4", [3], 2)], /cannot be stored/],
  ])("%s", async (_, tensors, message) => {
    await expect(encodeSafetensors(tensors)).rejects.toThrow(ArgumentError);
    await expect(encodeSafetensors(tensors)).rejects.toThrow(message);
  });
});
