import type { DType } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats, type Values } from "./against-plain.fixture.ts";

const compare = againstPlain();

const cast = (input: Values, dtype: DType) => ({ op: "cast", inputs: [input], outputs: [{ shape: input.shape, dtype }], attrs: { dtype } });

/** f32 of all exponents, with ties and their neighbours in the digits that narrowing drops. */
const bits = new Uint32Array(70_003);
for (let i = 0; i < bits.length; i++)
  bits[i] = Math.imul(i, 0x1f123bb5) & (i % 3 === 0 ? 0xffffe000 : i % 3 === 1 ? 0xfffff000 : 0xffffffff);
const everySize = new Float32Array(bits.buffer);

describe("cast", () => {
  it.each(["bf16", "f16", "i32", "u8"] as const)("narrows f32 of every size to %s as the plain one, to the bit", async (dtype) => {
    await compare(
      cast(
        floats([everySize.length], (i) => everySize[i]!),
        dtype,
      ),
    );
    await compare(
      cast(
        floats([9], (i) => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 65519.99, 65520, 2 ** -25, 3e9, -0.9][i]!),
        dtype,
      ),
    );
  });
  it.each(["bf16", "f16"] as const)("widens every one of the 65536 %s exactly", async (dtype) => {
    await compare(cast({ shape: [65536], dtype, data: Uint16Array.from({ length: 65536 }, (_, i) => i) }, "f32"));
  });
  it("widens whole numbers, rounding those that f32 has not", async () => {
    await compare(cast({ shape: [6], dtype: "i32", data: Int32Array.of(0, -1, 16777217, 2147483647, -2147483648, 33554435) }, "f32"));
    await compare(cast({ shape: [256], dtype: "u8", data: Uint8Array.from({ length: 256 }, (_, i) => i) }, "f32"));
  });
  it("leaves pairs without f32 to the plain kernel", async () => {
    await compare(cast({ shape: [3], dtype: "u8", data: Uint8Array.of(1, 2, 255) }, "f16"));
  });
});
