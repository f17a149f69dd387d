import { bf16ToNumber, cast, type DType, f16ToNumber, numberToBf16, numberToF16 } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, ofBits, openSoftwareGpu, scattered } from "./software-gpu.fixture.ts";

const { backend, absent } = await openSoftwareGpu();

async function castBits(values: Float32Array | Int32Array | Uint16Array | Uint8Array, from: DType, to: DType): Promise<ArrayBuffer> {
  const x = ofBits(backend, values, [values.length], from);
  const y = cast(x, to);
  x.dispose();
  return bytesOf(y);
}

/** f32 of all exponents, subnormal, infinite and NaN too; two thirds of them ties or nearly, in the digits that narrowing drops. */
const everySize = new Float32Array(
  Uint32Array.from({ length: 50_001 }, (_, i) => scattered(1)(i) & [0xffffffff, 0xfffff000, 0xffffe000][i % 3]!).buffer,
);
const every16 = Uint16Array.from({ length: 65536 }, (_, i) => i);
const clamp = (x: number, low: number, high: number): number => (Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))));
const WHOLE = Int32Array.of(
  0,
  1,
  -1,
  16777217,
  -16777219,
  33554434,
  33554438,
  2147483647,
  -2147483648,
  2147483584,
  2147483583,
  65519,
  65520,
);

describe.skipIf(absent)(`cast on webgpu${absent}`, () => {
  afterAll(() => backend.dispose());

  test("narrows f32 of every size to bf16 and f16 as core does, to the bit", async () => {
    expect(new Uint16Array(await castBits(everySize, "f32", "bf16")).subarray(0, everySize.length)).toEqual(
      Uint16Array.from(everySize, numberToBf16),
    );
    expect(new Uint16Array(await castBits(everySize, "f32", "f16")).subarray(0, everySize.length)).toEqual(
      Uint16Array.from(everySize, numberToF16),
    );
  });
  test("cuts f32 of every size to whole numbers within their range", async () => {
    expect(new Int32Array(await castBits(everySize, "f32", "i32"))).toEqual(
      Int32Array.from(everySize, (x) => clamp(x, -(2 ** 31), 2 ** 31 - 1)),
    );
    expect(new Uint8Array(await castBits(everySize, "f32", "u8"))).toEqual(Uint8Array.from(everySize, (x) => clamp(x, 0, 255)));
  });
  test("widens every one of the 65536 bf16 and f16 exactly", async () => {
    expect(new Float32Array(await castBits(every16, "bf16", "f32"))).toEqual(Float32Array.from(every16, bf16ToNumber));
    expect(new Float32Array(await castBits(every16, "f16", "f32"))).toEqual(Float32Array.from(every16, f16ToNumber));
  });
  test("goes from each of the 16-bit floats to the other by way of f32", async () => {
    expect(new Uint16Array(await castBits(every16, "bf16", "f16"))).toEqual(Uint16Array.from(every16, (b) => numberToF16(bf16ToNumber(b))));
    expect(new Uint16Array(await castBits(every16, "f16", "bf16"))).toEqual(Uint16Array.from(every16, (b) => numberToBf16(f16ToNumber(b))));
  });
  test("rounds whole numbers that floats have not to the nearest", async () => {
    expect(new Float32Array(await castBits(WHOLE, "i32", "f32"))).toEqual(Float32Array.from(WHOLE));
    expect(new Uint16Array(await castBits(WHOLE, "i32", "f16"))).toEqual(Uint16Array.from(WHOLE, numberToF16));
    expect(new Uint16Array(await castBits(WHOLE, "i32", "bf16"))).toEqual(Uint16Array.from(WHOLE, numberToBf16));
  });
});
