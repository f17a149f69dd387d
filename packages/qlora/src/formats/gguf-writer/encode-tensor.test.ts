import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { f16ToNumber, numberToF16 } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../error.ts";
import { bytesSource } from "../byte-source.ts";
import { openSafetensors } from "../safetensors.ts";
import { encodeF16 } from "./encode-f16.ts";
import { encodeTensor } from "./encode-tensor.ts";

const REFERENCE = fileURLToPath(new URL("../../../../../test/reference/gguf_quantized.safetensors", import.meta.url));

describe("encodeTensor", async () => {
  const file = await openSafetensors(bytesSource(new Uint8Array(readFileSync(REFERENCE)), REFERENCE));
  const values = new Float32Array((await file.tensors.get("values")!.read()).buffer);

  test.each(["Q8_0", "Q4_0", "F16"] as const)("%s: bits as gguf-py's", async (type) => {
    const expected = await file.tensors.get(type)!.read();
    const fitting = type === "F16" ? values.map((x) => (Math.abs(x) < 65520 ? x : 0)) : values;
    const got = encodeTensor("t", type, fitting);
    if (type === "F16") for (const [i, x] of values.entries()) if (Math.abs(x) >= 65520) expected.fill(0, 2 * i, 2 * i + 2);
    expect(got.length).toBe(expected.length);
    expect(Buffer.compare(got, expected)).toBe(0);
  });

  test.each(["F16", "Q8_0", "Q4_0", "F32"] as const)("%s: what it cannot hold is refused with the tensor's name", (type) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, ...(type === "F16" ? [65520, -1e6] : [])]) {
      const row = new Float32Array(32);
      row[5] = value;
      const encoding = () => encodeTensor("blk.0.ffn_up.weight", type, row);
      expect(encoding).toThrow(UsageError);
      expect(encoding).toThrow(expect.objectContaining({ where: "blk.0.ffn_up.weight", fields: { value, type } }));
    }
  });
});

test("f16 in bulk is core's, for every f32", () => {
  const anyBits = fc.uint32Array({ minLength: 64, maxLength: 64 });
  const nearF16 = fc.array(fc.tuple(fc.nat(0x7bff), fc.constantFrom(-1, 0, 1, 0x1000)), { minLength: 64, maxLength: 64 }).map((near) => {
    const bits = new Uint32Array(Float32Array.from(near, ([half]) => f16ToNumber(half)).buffer);
    return bits.map((b, i) => b + near[i]![1]);
  });
  fc.assert(
    fc.property(fc.oneof(anyBits, nearF16), (bits) => {
      const floats = new Float32Array(Uint32Array.from(bits).buffer);
      expect(encodeF16(floats)).toEqual(Uint16Array.from(floats, numberToF16));
    }),
  );
});
