// A stored tensor as f32, some rows at a time.
import { DTypeError, f16ToNumber } from "@qlora-js/core";
import type { StoredTensor } from "./safetensors.ts";
import { coreDType } from "./safetensors-dtype.ts";

/** Bytes of f32 that are made at a time, about. */
const PIECE_BYTES = 16 << 20;

/** Rows and columns; a vector has one column. */
export function rowsAndColumns({ shape }: Pick<StoredTensor, "shape">): readonly [rows: number, columns: number] {
  return [shape[0] ?? 1, shape.slice(1).reduce((n, d) => n * d, 1)];
}

/**
 * The values of whole rows, in order.
 * @param rows at a time; about 16 MiB where left out
 * @throws DTypeError unless it is of floats
 */
export async function* storedRows(name: string, stored: StoredTensor, rows = pieceRows(stored)): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const [total, columns] = rowsAndColumns(stored);
  const rowBytes = total === 0 ? 0 : stored.byteLength / total;
  for (let row = 0; row < total; row += rows) {
    const count = Math.min(rows, total - row);
    yield widened(name, stored, await stored.read(row * rowBytes, count * rowBytes), count * columns);
  }
}

/** All values. @throws DTypeError unless it is of floats */
export async function storedValues(name: string, stored: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  return widened(
    name,
    stored,
    await stored.read(),
    stored.shape.reduce((n, d) => n * d, 1),
  );
}

const pieceRows = (stored: StoredTensor): number => Math.max(1, Math.floor(PIECE_BYTES / 4 / Math.max(1, rowsAndColumns(stored)[1])));

function widened(name: string, { dtype }: StoredTensor, { buffer }: Uint8Array<ArrayBuffer>, count: number): Float32Array<ArrayBuffer> {
  const type = coreDType(dtype);
  if (type === "f32") return new Float32Array(buffer, 0, count);
  if (type === "bf16") return widenBf16(new Uint16Array(buffer, 0, count));
  if (type === "f16") return Float32Array.from(new Uint16Array(buffer, 0, count), f16ToNumber);
  throw new DTypeError("storedRows", type ? [type] : [], `"${name}" is ${dtype}, not a float.`);
}

/** bf16 is the upper half of f32. */
function widenBf16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i]! << 16;
  return new Float32Array(wide.buffer);
}
