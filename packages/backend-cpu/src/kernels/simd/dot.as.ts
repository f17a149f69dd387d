// Σ a[i]·b[i] of two rows: 16 running f32 sums; the last four are added in f64.

@inline
export function dot(a: usize, b: usize, n: usize): f64 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const bytes = n << 2, wide = (n & ~15) << 2, vectors = (n & ~3) << 2;
  let i: usize = 0;
  for (; i < wide; i += 64) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a + i), v128.load(b + i)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(a + i, 16), v128.load(b + i, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(a + i, 32), v128.load(b + i, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(a + i, 48), v128.load(b + i, 48)));
  }
  for (; i < vectors; i += 16) s0 = f32x4.add(s0, f32x4.mul(v128.load(a + i), v128.load(b + i)));
  let total = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; i < bytes; i += 4) total += <f64>(load<f32>(a + i) * load<f32>(b + i));
  return total;
}

/** The four numbers of a vector, added in f64. */
@inline
export function sumLanes(s: v128): f64 {
  return <f64>f32x4.extract_lane(s, 0) + <f64>f32x4.extract_lane(s, 1) + (<f64>f32x4.extract_lane(s, 2) + <f64>f32x4.extract_lane(s, 3));
}
