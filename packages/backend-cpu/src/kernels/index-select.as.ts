// Picking rows and adding into rows.
import { BF16, bytesOf, F16, F32, load1, load4 } from "./simd/half.as";

/** y[j, :] = x[ids[j], :] as f32; tasks are ids. */
export function indexSelect(y: usize, x: usize, ids: usize, dtype: i32, width: usize, begin: usize, end: usize): void {
  for (let j = begin; j < end; j++) {
    const to = y + (j * width << 2), from = x + bytesOf(dtype, <usize>load<i32>(ids + (j << 2)) * width);
    if (dtype == F32) memory.copy(to, from, width << 2);
    else if (dtype == BF16) widen(BF16, to, from, width);
    else widen(F16, to, from, width);
  }
}

@inline
function widen(dtype: i32, to: usize, from: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + (i << 2), load4(dtype, from + bytesOf(dtype, i)));
  for (; i < n; i++) store<f32>(to + (i << 2), load1(dtype, from + bytesOf(dtype, i)));
}

/** y[ids[j], :] += x[j, :] for j = 0 … count − 1 in order, from zeros: y [rows, width]. Tasks are strips of `strip` columns. */
export function indexAdd(y: usize, x: usize, ids: usize, count: usize, rows: usize, width: usize, strip: usize, begin: usize, end: usize): void {
  const first = begin * strip, n = min(end * strip, width) - first;
  for (let row: usize = 0; row < rows; row++) memory.fill(y + (row * width + first << 2), 0, n << 2);
  for (let j: usize = 0; j < count; j++) {
    const to = y + (<usize>load<i32>(ids + (j << 2)) * width + first << 2), from = x + (j * width + first << 2);
    let i: usize = 0;
    for (; i + 4 <= n; i += 4) v128.store(to + (i << 2), f32x4.add(v128.load(to + (i << 2)), v128.load(from + (i << 2))));
    for (; i < n; i++) store<f32>(to + (i << 2), load<f32>(to + (i << 2)) + load<f32>(from + (i << 2)));
  }
}
