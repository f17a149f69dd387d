// The largest of n numbers; NaN if one is NaN, −∞ of none.

@inline
export function largest(p: usize, n: usize): f32 {
  const end = p + (n << 2);
  let a = f32x4.splat(-Infinity), b = a;
  for (; p + 32 <= end; p += 32) {
    a = f32x4.max(a, v128.load(p));
    b = f32x4.max(b, v128.load(p, 16));
  }
  for (; p + 16 <= end; p += 16) a = f32x4.max(a, v128.load(p));
  a = f32x4.max(a, b);
  for (; p < end; p += 4) a = f32x4.max(a, v128.load32_splat(p));
  a = f32x4.max(a, v128.shuffle<u32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(a, v128.shuffle<u32>(a, a, 1, 0, 3, 2)), 0);
}
