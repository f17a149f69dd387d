// One step of a running softmax over blocks of scores (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax"): for one row, or for four rows
// of a tile at once, whose maxima, factors and totals lie side by side.
import { sumLanes } from "./dot.as";
import { expNegative4 } from "./exp.as";
import { largest } from "./largest.as";

/** Turns `n` scores of a row into e^(score − m), and moves m, the total (f64), and the factor for what was summed under the old m. Reads whole vectors. */
@inline
export function softmaxStep(row: usize, n: usize, factor: usize, m: usize, total: usize): void {
  const end = row + ((n + 3) >> 2 << 4);
  for (let p = row + (n << 2); p < end; p += 4) store<f32>(p, -Infinity);
  const before = load<f32>(m), now = max<f32>(before, largest(row, n));
  const sum = exponentials(row, end, now), f = f32x4.extract_lane(expNegative4(f32x4.splat(before - now)), 0);
  store<f32>(m, now);
  store<f32>(factor, f);
  store<f64>(total, load<f64>(total) * <f64>f + sumLanes(sum));
}

/**
 * The same for four rows, `stride` bytes apart. Row i has min(first + i, most) scores, none if first + i ≤ 0 or i ≥ rows; the rest, up to `width`,
 * a multiple of 4, become 0.
 */
@inline
export function softmaxSteps(row: usize, stride: usize, first: i32, most: i32, rows: i32, width: i32, factors: usize, m: usize, totals: usize): void {
  const r1 = row + stride, r2 = r1 + stride, r3 = r2 + stride, bytes = <usize>width << 2;
  if (min(first, most) < width || rows < 4) {
    hide(row, rows > 0 ? min(first, most) : 0, width);
    hide(r1, rows > 1 ? min(first + 1, most) : 0, width);
    hide(r2, rows > 2 ? min(first + 2, most) : 0, width);
    hide(r3, rows > 3 ? min(first + 3, most) : 0, width);
  }
  let a = f32x4.splat(-Infinity), b = a, c = a, d = a;
  for (let i: usize = 0; i < bytes; i += 16) { // a NaN may be missed here, but not by its exponential
    a = f32x4.pmax(a, v128.load(row + i));
    b = f32x4.pmax(b, v128.load(r1 + i));
    c = f32x4.pmax(c, v128.load(r2 + i));
    d = f32x4.pmax(d, v128.load(r3 + i));
  }
  const ab = f32x4.pmax(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.pmax(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  const before = v128.load(m), now = f32x4.pmax(before, f32x4.pmax(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3)));
  const lanes = i32x4(0, 1, 2, 3);
  const none = v128.or(i32x4.le_s(i32x4.add(i32x4.splat(first), lanes), i32x4.splat(0)), i32x4.ge_s(lanes, i32x4.splat(rows)));
  const shift = v128.andnot(now, none); // a row without scores: e^(−∞ − 0) = 0
  const f = v128.bitselect(f32x4.splat(1), expNegative4(f32x4.sub(before, shift)), none);
  a = exponentials(row, row + bytes, f32x4.extract_lane(shift, 0));
  b = exponentials(r1, r1 + bytes, f32x4.extract_lane(shift, 1));
  c = exponentials(r2, r2 + bytes, f32x4.extract_lane(shift, 2));
  d = exponentials(r3, r3 + bytes, f32x4.extract_lane(shift, 3));
  const sumAb = f32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const sumCd = f32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  const sums = f32x4.add(v128.shuffle<u64>(sumAb, sumCd, 0, 2), v128.shuffle<u64>(sumAb, sumCd, 1, 3));
  v128.store(m, now);
  v128.store(factors, f);
  addTotals(totals, f, sums);
  addTotals(totals + 16, v128.shuffle<u64>(f, f, 1, 1), v128.shuffle<u64>(sums, sums, 1, 1));
}

/** Scores that a row does not have. */
@inline
function hide(row: usize, seen: i32, width: i32): void {
  for (let i = max(seen, 0); i < width; i++) store<f32>(row + (<usize>i << 2), -Infinity);
}

/** e^(score − m) of a row in place; their sum in four parts. */
@inline
function exponentials(p: usize, end: usize, m: f32): v128 {
  const shift = f32x4.splat(m);
  let sum = f32x4.splat(0);
  for (; p < end; p += 16) {
    const e = expNegative4(f32x4.sub(v128.load(p), shift));
    sum = f32x4.add(sum, e);
    v128.store(p, e);
  }
  return sum;
}

/** Two totals: total·factor + sum, of the low lanes. */
@inline
function addTotals(totals: usize, factor: v128, sum: v128): void {
  const kept = f64x2.mul(v128.load(totals), f64x2.promote_low_f32x4(factor));
  v128.store(totals, f64x2.add(kept, f64x2.promote_low_f32x4(sum)));
}
