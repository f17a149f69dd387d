// What attention's forward and backward share: which keys of a block a query sees, and rows copied into whole tiles.
import { transpose4 } from "./transpose.as";

/** How many of the `keys` keys from j on the query at position `at` sees. */
@inline
export function visible(at: usize, j: usize, keys: usize): usize {
  return at < j ? 0 : min(at + 1 - j, keys);
}

/** How many of the keys from j on lie before the window of the query at position `at`. */
@inline
export function hidden(at: usize, j: usize, window: usize): usize {
  return at + 1 > j + window ? at + 1 - j - window : 0;
}

/** The same in whole tiles. */
@inline
export function tilesHidden(at: usize, j: usize, window: usize): usize {
  return hidden(at, j, window) & ~7;
}

/** Columns of whole tiles that hold so many keys. */
@inline
export function columnsOf(keys: usize): usize {
  return (keys + 7) & ~7;
}

/** n rows of D numbers times a factor, zeros up to `wide` in each, and rows of zeros up to `rows`. Strides in bytes. */
export function copyRows(
  to: usize, toStride: usize, from: usize, fromStride: usize, n: usize, D: usize, wide: usize, rows: usize, factor: f32,
): void {
  const f = f32x4.splat(factor), vectors = (D & ~3) << 2, bytes = D << 2;
  for (let r: usize = 0; r < n; r++, to += toStride, from += fromStride) {
    let i: usize = 0;
    for (; i < vectors; i += 16) v128.store(to + i, f32x4.mul(v128.load(from + i), f));
    for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i) * factor);
    for (; i < wide << 2; i += 4) store<f32>(to + i, 0);
  }
  for (let r = n; r < rows; r++, to += toStride) memory.fill(to, 0, wide << 2);
}

/** Rows [n][D] as columns [⌈n/8⌉][wide][8]: number d of row 8·i + c is at [i][d][c]; zeros where there is no row, or no number. */
export function packColumns(to: usize, from: usize, stride: usize, n: usize, D: usize, wide: usize): void {
  for (let r: usize = 0; r < n; r += 8, to += wide << 5, from += stride << 3) {
    const rows = min(n - r, <usize>8);
    let d: usize = 0;
    if (rows == 8) {
      for (; d + 4 <= D; d += 4) {
        const p = from + (d << 2), t = to + (d << 5);
        transpose4(t, 32, v128.load(p), v128.load(p + stride), v128.load(p + stride * 2), v128.load(p + stride * 3));
        transpose4(t + 16, 32, v128.load(p + stride * 4), v128.load(p + stride * 5), v128.load(p + stride * 6), v128.load(p + stride * 7));
      }
    }
    for (; d < wide; d++) {
      for (let c: usize = 0; c < 8; c++)
        store<f32>(to + (d << 5) + (c << 2), d < D && c < rows ? load<f32>(from + c * stride + (d << 2)) : 0);
    }
  }
}
