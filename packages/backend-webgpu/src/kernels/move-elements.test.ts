// slice, pad, concat and permute of every dtype: bits, read through several windows.
import { BYTES, concat, type DType, pad, permute, sizeOf, slice, type Tensor } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, ofBits, openSoftwareGpu, scattered } from "./software-gpu.fixture.ts";

const { backend, absent } = await openSoftwareGpu({ maxBindingBytes: 4096 });

const ARRAYS = { 4: Int32Array, 2: Uint16Array, 1: Uint8Array };
const SHAPE = [7, 29, 11];
const DTYPES = Object.keys(BYTES) as DType[];

type Elements = Int32Array | Uint16Array | Uint8Array;
const emptyOf = (dtype: DType, n: number): Elements => new ARRAYS[BYTES[dtype]](n);

/** Elements of all bits there are: among floats NaNs that are quiet, and not, and subnormal numbers. */
const elementsOf = (dtype: DType): Elements =>
  emptyOf(dtype, sizeOf(SHAPE)).map(
    (_, i) => (i % 3 === 0 ? scattered(1)(i) & 0x807fffff : scattered(1)(i)) | (i % 3 === 1 ? 0x7f800000 : 0),
  );

/** What an op makes of all elements, as bits. */
async function moved(dtype: DType, op: (x: Tensor) => Tensor): Promise<ArrayLike<number>> {
  const x = ofBits(backend, elementsOf(dtype), SHAPE, dtype);
  const y = op(x);
  x.dispose();
  return new ARRAYS[BYTES[dtype]](await bytesOf(y));
}

/** f(index in a shape) for each element. */
const each = (dtype: DType, [a, b, c]: readonly [number, number, number], f: (i: number, j: number, k: number) => number): Elements =>
  emptyOf(dtype, a * b * c).map((_, n) => f(Math.floor(n / (b * c)), Math.floor(n / c) % b, n % c));

describe.skipIf(absent)(`moving elements on webgpu${absent}`, () => {
  afterAll(() => backend.dispose());

  test.each(DTYPES)("keeps every bit of %s", async (dtype) => {
    const x = elementsOf(dtype);
    const at = (i: number, j: number, k: number): number => x[(i * 29 + j) * 11 + k]!;
    expect(await moved(dtype, (t) => permute(t, [2, 0, 1]))).toEqual(each(dtype, [11, 7, 29], (k, i, j) => at(i, j, k)));
    expect(await moved(dtype, (t) => slice(t, 1, 3, 20))).toEqual(each(dtype, [7, 17, 11], (i, j, k) => at(i, j + 3, k)));
    expect(await moved(dtype, (t) => pad(t, 2, 1, 2))).toEqual(
      each(dtype, [7, 29, 14], (i, j, k) => (k > 0 && k < 12 ? at(i, j, k - 1) : 0)),
    );
    expect(await moved(dtype, (t) => concat([t, t, t], 2))).toEqual(each(dtype, [7, 29, 33], (i, j, k) => at(i, j, k % 11)));
    expect(await moved(dtype, (t) => concat([t, t], 0))).toEqual(each(dtype, [14, 29, 11], (i, j, k) => at(i % 7, j, k)));
  });
});
