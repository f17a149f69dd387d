// Sums and maxima. x is [K0, R0, K1, R1], y [K0, K1]: axes R are reduced. Sums run in f64. Where R1 = 1, strips of 8 columns are tasks, else elements of y.
import { largest } from "./simd/largest.as";

/** y[k0, k1] = Σ over r0 and r1; tasks are elements of y. */
export function sumRuns(y: usize, x: usize, R0: usize, K1: usize, R1: usize, begin: usize, end: usize): void {
  for (let o = begin; o < end; o++) {
    const k0 = o / K1, k1 = o - k0 * K1;
    let total: f64 = 0;
    for (let r: usize = 0; r < R0; r++) total += sumOf(x + (((k0 * R0 + r) * K1 + k1) * R1 << 2), R1);
    store<f32>(y + (o << 2), <f32>total);
  }
}

export function maxRuns(y: usize, x: usize, R0: usize, K1: usize, R1: usize, begin: usize, end: usize): void {
  for (let o = begin; o < end; o++) {
    const k0 = o / K1, k1 = o - k0 * K1;
    let most: f32 = -Infinity;
    for (let r: usize = 0; r < R0; r++) most = max<f32>(most, largest(x + (((k0 * R0 + r) * K1 + k1) * R1 << 2), R1));
    store<f32>(y + (o << 2), most);
  }
}

/** Long runs in pieces: totals f64 [elements, pieces]; a task is a piece. */
export function sumPieces(totals: usize, x: usize, R1: usize, piece: usize, pieces: usize, begin: usize, end: usize): void {
  for (let i = begin; i < end; i++) {
    const o = i / pieces, from = (i - o * pieces) * piece;
    store<f64>(totals + (i << 3), sumOf(x + (o * R1 + from << 2), min(piece, R1 - from)));
  }
}

/** y[o] = Σ of its pieces. */
export function sumOfPieces(y: usize, totals: usize, pieces: usize, begin: usize, end: usize): void {
  for (let o = begin; o < end; o++) {
    let total: f64 = 0;
    for (let i: usize = 0; i < pieces; i++) total += load<f64>(totals + (o * pieces + i << 3));
    store<f32>(y + (o << 2), <f32>total);
  }
}

/** Σ of n numbers in 8 f64 sums. */
@inline
function sumOf(p: usize, n: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const end = p + (n << 2);
  for (; p + 32 <= end; p += 32) {
    const a = v128.load(p), b = v128.load(p, 16);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<u64>(a, a, 1, 1)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(b));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.shuffle<u64>(b, b, 1, 1)));
  }
  s0 = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let total = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; p < end; p += 4) total += <f64>load<f32>(p);
  return total;
}

/** R1 = 1: y [K0, K1] from x [K0, R0, K1]; a task is a strip of 8 columns of one k0. */
export function sumColumns(y: usize, x: usize, R0: usize, K1: usize, begin: usize, end: usize): void {
  const strips = (K1 + 7) >> 3, stride = K1 << 2;
  for (let task = begin; task < end; task++) {
    const k0 = task / strips, c = (task - k0 * strips) << 3;
    let p = x + (k0 * R0 * K1 + c << 2);
    const to = y + (k0 * K1 + c << 2), last = p + R0 * stride;
    if (c + 8 <= K1) {
      let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (; p < last; p += stride) {
        const a = v128.load(p), b = v128.load(p, 16);
        s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
        s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<u64>(a, a, 1, 1)));
        s2 = f64x2.add(s2, f64x2.promote_low_f32x4(b));
        s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.shuffle<u64>(b, b, 1, 1)));
      }
      v128.store(to, v128.shuffle<u64>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 2));
      v128.store(to, v128.shuffle<u64>(f32x4.demote_f64x2_zero(s2), f32x4.demote_f64x2_zero(s3), 0, 2), 16);
    } else {
      for (let k: usize = 0; k < K1 - c; k++) {
        let total: f64 = 0;
        for (let q = p + (k << 2); q < last; q += stride) total += <f64>load<f32>(q);
        store<f32>(to + (k << 2), <f32>total);
      }
    }
  }
}

export function maxColumns(y: usize, x: usize, R0: usize, K1: usize, begin: usize, end: usize): void {
  const strips = (K1 + 7) >> 3, stride = K1 << 2;
  for (let task = begin; task < end; task++) {
    const k0 = task / strips, c = (task - k0 * strips) << 3;
    const from = x + (k0 * R0 * K1 + c << 2), to = y + (k0 * K1 + c << 2), last = from + R0 * stride, n = min(K1 - c, <usize>8);
    for (let k: usize = 0; k < n; k++) {
      let most: f32 = -Infinity;
      for (let q = from + (k << 2); q < last; q += stride) most = max<f32>(most, load<f32>(q));
      store<f32>(to + (k << 2), most);
    }
  }
}

/** Position of the first largest of a row of n, a NaN being the largest of all; tasks are rows. */
export function argmax(y: usize, x: usize, n: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const p = x + (row * n << 2), most = largest(p, n), wanted = f32x4.splat(most);
    let i: usize = 0;
    if (most == most) for (; i + 4 <= n && !v128.any_true(f32x4.eq(v128.load(p + (i << 2)), wanted)); i += 4);
    for (; i < n; i++) {
      const value = load<f32>(p + (i << 2));
      if (value == most || (most != most && value != value)) break;
    }
    store<i32>(y + (row << 2), <i32>i);
  }
}
