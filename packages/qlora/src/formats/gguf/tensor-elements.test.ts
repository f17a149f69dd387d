import { numberToBf16 } from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesSource } from "../byte-source.ts";
import { dequantize } from "./dequantize/dequantize.ts";
import { ggufBytes } from "./gguf.fixture.ts";
import { openGguf } from "./gguf-file.ts";
import { TENSOR_TYPES, type TensorTypeName } from "./gguf-types.ts";
import { tensorElements } from "./tensor-elements.ts";

const open = async (type: TensorTypeName, shape: number[], data: Uint8Array) =>
  (await openGguf(bytesSource(ggufBytes({ tensors: [{ name: "t", type, shape, data }] }), "f.gguf"))).tensors.get("t")!;
const blocks = (type: TensorTypeName, count: number) =>
  fc.uint8Array({ minLength: count * TENSOR_TYPES[type].blockBytes, maxLength: count * TENSOR_TYPES[type].blockBytes });

test.each(["Q4_0", "Q8_0", "Q6_K"] as const)("any range of %s has the numbers of its blocks, in f32 and rounded to bf16", async (type) => {
  const { blockSize } = TENSOR_TYPES[type];
  await fc.assert(
    fc.asyncProperty(blocks(type, 3), fc.nat(3 * blockSize), fc.nat(3 * blockSize), async (data, a, b) => {
      const [first, end] = [Math.min(a, b), Math.max(a, b)];
      const expected = dequantize(type, data).subarray(first, end);
      const tensor = await open(type, [3, blockSize], data);
      const exact = await tensorElements("t", tensor, "F32").read(first, end - first);
      expect(new Float32Array(exact.buffer)).toEqual(new Float32Array(expected));
      const rounded = await tensorElements("t", tensor, "BF16").read(first, end - first);
      expect([...new Uint16Array(rounded.buffer)]).toEqual([...expected].map(numberToBf16));
    }),
  );
});

test("tensors longer than a piece are whole", async () => {
  const data = Uint8Array.from({ length: 34 * 20_000 }, (_, i) => (i % 34 === 1 ? 0x2c : i % 251));
  const tensor = await open("Q8_0", [20_000, 32], data);
  const bytes = await tensorElements("t", tensor, "F32").read(0, 640_000);
  expect(Buffer.compare(bytes, new Uint8Array(dequantize("Q8_0", data).buffer))).toBe(0);
});

test("numbers that are stored as they are stay so", async () => {
  const tensor = await open("F16", [2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const elements = tensorElements("t", tensor, "BF16");
  expect(elements.dtype).toBe("F16");
  expect([...(await elements.read(1, 2))]).toEqual([3, 4, 5, 6]);
});

test("a type that is not read is refused with the tensor's name", async () => {
  const tensor = await open("IQ4_NL", [1, 32], new Uint8Array(18));
  expect(() => tensorElements("blk.0.attn_q.weight", tensor, "BF16")).toThrow(
    /^f\.gguf: tensor "blk\.0\.attn_q\.weight": is IQ4_NL, which is not read/,
  );
});
