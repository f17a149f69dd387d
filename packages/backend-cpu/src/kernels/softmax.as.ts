// softmax and logSoftmax of rows of n; tasks are rows.
import { sumLanes } from "./simd/dot.as";
import { expNegative4 } from "./simd/exp.as";
import { largest } from "./simd/largest.as";

/** y = e^(x − m) / Σ e^(x − m) */
export function softmax(y: usize, x: usize, n: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const at = row * n << 2;
    const factor = <f32>(1 / exponentials(y + at, x + at, largest(x + at, n), n, true));
    const f = f32x4.splat(factor), last = y + at + (n << 2);
    let p = y + at;
    for (; p + 16 <= last; p += 16) v128.store(p, f32x4.mul(v128.load(p), f));
    for (; p < last; p += 4) store<f32>(p, load<f32>(p) * factor);
  }
}

/** y = (x − m) − ln Σ e^(x − m) */
export function logSoftmax(y: usize, x: usize, n: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const at = row * n << 2, m = largest(x + at, n);
    const log = <f32>NativeMath.log(exponentials(y + at, x + at, m, n, false));
    for (let i = at; i < at + (n << 2); i += 4) store<f32>(y + i, load<f32>(x + i) - m - log);
  }
}

/** Σ e^(x − m), four f32 sums over 256 numbers at a time, those in f64; the exponentials themselves to y if they are wanted. */
@inline
function exponentials(y: usize, x: usize, m: f32, n: usize, wanted: bool): f64 {
  const shift = f32x4.splat(m), end = x + (n << 2), delta = y - x;
  let total: f64 = 0;
  while (x < end) {
    const stop = min(x + 1024, end);
    let sum = f32x4.splat(0);
    for (; x + 16 <= stop; x += 16) {
      const e = expNegative4(f32x4.sub(v128.load(x), shift));
      sum = f32x4.add(sum, e);
      if (wanted) v128.store(x + delta, e);
    }
    for (; x < stop; x += 4) {
      const e = f32x4.extract_lane(expNegative4(f32x4.sub(v128.load32_splat(x), shift)), 0);
      total += <f64>e;
      if (wanted) store<f32>(x + delta, e);
    }
    total += sumLanes(sum);
  }
  return total;
}
