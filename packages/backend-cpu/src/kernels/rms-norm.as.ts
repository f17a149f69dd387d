// RMSNorm and its gradients over rows of n. r = 1 / √(mean(x²) + ε); sums run in 16 f32 lanes, which are added in f64.
import { dot } from "./simd/dot.as";

@inline
function inverseRoot(x: usize, n: usize, epsilon: f64): f32 {
  return <f32>(1 / sqrt<f64>(dot(x, x, n) / <f64>n + epsilon));
}

/** y = x·r·w; tasks are rows. */
export function rmsNorm(y: usize, x: usize, w: usize, n: usize, epsilon: f64, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const at = row * n << 2;
    const r = inverseRoot(x + at, n, epsilon);
    const rr = f32x4.splat(r);
    const vectors = (n & ~3) << 2, bytes = n << 2;
    let i: usize = 0;
    for (; i < vectors; i += 16) v128.store(y + at + i, f32x4.mul(f32x4.mul(v128.load(x + at + i), rr), v128.load(w + i)));
    for (; i < bytes; i += 4) store<f32>(y + at + i, load<f32>(x + at + i) * r * load<f32>(w + i));
  }
}

/** g = dy·w, dx = r·(g − x·r²·mean(g·x)); tasks are rows. g is made in dx. */
export function rmsNormGradInput(dx: usize, x: usize, w: usize, dy: usize, n: usize, epsilon: f64, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const at = row * n << 2;
    const vectors = (n & ~3) << 2, bytes = n << 2;
    let i: usize = 0;
    for (; i < vectors; i += 16) v128.store(dx + at + i, f32x4.mul(v128.load(dy + at + i), v128.load(w + i)));
    for (; i < bytes; i += 4) store<f32>(dx + at + i, load<f32>(dy + at + i) * load<f32>(w + i));
    const r = inverseRoot(x + at, n, epsilon);
    const c = <f32>(<f64>r * <f64>r * dot(dx + at, x + at, n) / <f64>n);
    const rr = f32x4.splat(r), cc = f32x4.splat(c);
    for (i = 0; i < vectors; i += 16)
      v128.store(dx + at + i, f32x4.mul(rr, f32x4.sub(v128.load(dx + at + i), f32x4.mul(v128.load(x + at + i), cc))));
    for (; i < bytes; i += 4) store<f32>(dx + at + i, r * (load<f32>(dx + at + i) - load<f32>(x + at + i) * c));
  }
}

/** roots[row] = r; tasks are rows. */
export function rmsNormRoots(roots: usize, x: usize, n: usize, epsilon: f64, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) store<f32>(roots + (row << 2), inverseRoot(x + (row * n << 2), n, epsilon));
}

/** dw[c] = Σ over all rows, in order, of dy·x·r, in f64; tasks are strips of 8 columns. */
export function rmsNormGradWeight(dw: usize, x: usize, dy: usize, roots: usize, rows: usize, n: usize, begin: usize, end: usize): void {
  for (let strip = begin; strip < end; strip++) {
    const c = strip << 3;
    if (c + 8 <= n) wholeStrip(dw + (c << 2), x + (c << 2), dy + (c << 2), roots, rows, n << 2);
    else for (let k = c; k < n; k++) {
      let sum: f64 = 0;
      for (let row: usize = 0; row < rows; row++) {
        const at = row * n + k << 2;
        sum += <f64>(load<f32>(dy + at) * (load<f32>(x + at) * load<f32>(roots + (row << 2))));
      }
      store<f32>(dw + (k << 2), <f32>sum);
    }
  }
}

@inline
function wholeStrip(dw: usize, x: usize, dy: usize, roots: usize, rows: usize, stride: usize): void {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let row: usize = 0; row < rows; row++, x += stride, dy += stride) {
    const r = v128.load32_splat(roots + (row << 2));
    const a = f32x4.mul(v128.load(dy), f32x4.mul(v128.load(x), r));
    const b = f32x4.mul(v128.load(dy, 16), f32x4.mul(v128.load(x, 16), r));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<f64>(a, a, 1, 1)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(b));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.shuffle<f64>(b, b, 1, 1)));
  }
  v128.store(dw, v128.shuffle<f64>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 2));
  v128.store(dw, v128.shuffle<f64>(f32x4.demote_f64x2_zero(s2), f32x4.demote_f64x2_zero(s3), 0, 2), 16);
}
