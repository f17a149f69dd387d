// A stretch of a tensor's rows as a tensor of its own: what kernels bind of one that is too large to be seen at once. No copy; the bytes stay where they are.
import { BYTES, type DeviceBuffer, sizeOf, type View } from "@qlora-js/core";
import { windowsOf } from "./program-source.ts";

/** Where a binding may begin, in bytes: WebGPU's `minStorageBufferOffsetAlignment` is nowhere more. */
const STEP = 256;

/** Rows that begin a stretch are multiples of this: of any width, elements of two or four bytes then begin at a multiple of STEP. */
export const PART_ROWS = STEP / BYTES.f16;

/** Bindings of one tensor that leave, of the 8 every GPU has, enough for what else a kernel reads and writes. */
const MOST_WINDOWS = 4;

/** Bytes of another buffer, from a multiple of STEP on. */
export class Part implements DeviceBuffer {
  constructor(
    readonly whole: DeviceBuffer,
    readonly offset: number,
    readonly byteLength: number,
  ) {}
}

export interface Stretch {
  readonly first: number;
  readonly count: number;
}

/** Rows first … first + count − 1 of x [rows, …], where PART_ROWS divides first. */
export function partOf(x: View, { first, count }: Stretch): View {
  if (first === 0 && count === x.shape[0]) return x;
  const shape = [count, ...x.shape.slice(1)];
  const rowBytes = (sizeOf(shape) / count) * BYTES[x.dtype];
  return { ...x, shape, buffer: new Part(x.buffer, first * rowBytes, count * rowBytes) };
}

/** All rows of x in stretches that no more than MOST_WINDOWS bindings show. One, if that is enough. */
export function stretchesOf(x: View, maxBindingBytes: number): Stretch[] {
  const rows = x.shape[0]!;
  if (windowsOf(x, maxBindingBytes) <= MOST_WINDOWS) return [{ first: 0, count: rows }];
  const rowBytes = (sizeOf(x.shape) / rows) * BYTES[x.dtype];
  const most = Math.max(PART_ROWS, Math.floor((MOST_WINDOWS * maxBindingBytes) / rowBytes / PART_ROWS) * PART_ROWS);
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({ first: i * most, count: Math.min(most, rows - i * most) }));
}
