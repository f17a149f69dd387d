// B in f32, bf16 or f16 to panels of 8 columns, [panel][depth][8] f32, which is how the micro-kernel reads it. 16-bit floats are widened on the way.
// Columns beyond the last are zeros.
import { loadBf16, loadF16 } from "../simd/half.as";
import { BF16, F16, F32, Product } from "./product.as";

@inline
function load4(storage: u32, p: usize): v128 {
  if (storage == F32) return v128.load(p);
  if (storage == BF16) return loadBf16(p);
  return loadF16(p);
}

@inline
function load1(storage: u32, p: usize): f32 {
  if (storage == F32) return load<f32>(p);
  const bits = <u32>load<u16>(p);
  if (storage == BF16) return reinterpret<f32>(bits << 16);
  const magnitude = (bits & 0x7fff) << 13;
  const value = magnitude >= 0x0f800000 ? reinterpret<f32>(magnitude | 0x7f800000) : reinterpret<f32>(magnitude) * 5.192296858534828e33;
  return bits & 0x8000 ? -value : value;
}

/** Up to 8 columns of `depth` rows, element by element: what is left over at an edge. Element (p, j) is at b + p·step + j·column. */
@inline
function packEdge(storage: u32, to: usize, b: usize, step: usize, column: usize, depth: usize, columns: usize): void {
  for (let p: usize = 0; p < depth; p++, b += step, to += 32) {
    v128.store(to, i32x4.splat(0)), v128.store(to, i32x4.splat(0), 16);
    for (let j: usize = 0; j < columns; j++) store<f32>(to + (j << 2), load1(storage, b + j * column));
  }
}

/** Rows of B that are read together: they may lie so that a cache holds no more of them at once. */
const LINES: usize = 8;

/** B stored [k, n]: a few rows at a time, 8 columns of them to each panel. */
@inline
function packRows(storage: u32, shift: usize, to: usize, panelBytes: usize, b: usize, row: usize, depth: usize, columns: usize): void {
  const whole = columns >> 3;
  for (let p: usize = 0; p < depth; p += LINES) {
    const lines = min<usize>(LINES, depth - p);
    for (let panel: usize = 0, from = b + p * row, at = to + (p << 5); panel < whole; panel++, from += 8 << shift, at += panelBytes) {
      for (let i: usize = 0, line = from; i < lines; i++, line += row)
        v128.store(at + (i << 5), load4(storage, line)), v128.store(at + (i << 5), load4(storage, line + (4 << shift)), 16);
    }
  }
  if (columns & 7) packEdge(storage, to + whole * panelBytes, b + (whole << (3 + shift)), row, 1 << shift, depth, columns & 7);
}

/** Four rows of 4 to four columns of 4, 32 bytes apart. */
@inline
function storeTransposed(to: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const a = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
  const c = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5), d = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(a, c, 0, 2));
  v128.store(to, v128.shuffle<u64>(a, c, 1, 3), 32);
  v128.store(to, v128.shuffle<u64>(b, d, 0, 2), 64);
  v128.store(to, v128.shuffle<u64>(b, d, 1, 3), 96);
}

/** B stored [n, k]: 8 rows at a time become the 8 columns of a panel. */
@inline
function packColumns(storage: u32, shift: usize, to: usize, panelBytes: usize, b: usize, row: usize, depth: usize, columns: usize): void {
  const whole = columns >> 3, fours = depth & ~3;
  for (let panel: usize = 0; panel < whole; panel++, to += panelBytes, b += row << 3) {
    const b4 = b + (row << 2);
    let at = to;
    for (let p: usize = 0; p < fours; p += 4, at += 128) {
      const x = b + (p << shift), y = b4 + (p << shift);
      storeTransposed(at, load4(storage, x), load4(storage, x + row), load4(storage, x + 2 * row), load4(storage, x + 3 * row));
      storeTransposed(at + 16, load4(storage, y), load4(storage, y + row), load4(storage, y + 2 * row), load4(storage, y + 3 * row));
    }
    if (fours < depth) packEdge(storage, at, b + (fours << shift), 1 << shift, row, depth - fours, 8);
  }
  if (columns & 7) packEdge(storage, to, b, 1 << shift, row, depth, columns & 7);
}

@inline
function pack(storage: u32, shift: usize, product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  const row = product.bRow << shift, panelBytes = depth << 5;
  if (product.bTransposed) packColumns(storage, shift, to, panelBytes, b + column * row + (first << shift), row, depth, columns);
  else packRows(storage, shift, to, panelBytes, b + first * row + (column << shift), row, depth, columns);
}

/** Terms first … first + depth of columns column … column + columns of B at `b`. */
export function packF32(product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  pack(F32, 2, product, to, b, first, depth, column, columns);
}
export function packBf16(product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  pack(BF16, 1, product, to, b, first, depth, column, columns);
}
export function packF16(product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  pack(F16, 1, product, to, b, first, depth, column, columns);
}
