// f16 and bf16 to f32 (exact) and back (nearest, ties to even), four at a time.

/** Four f16 from p. Exponent and mantissa move into place and are scaled by 2¹¹², which also makes subnormals right; infinity and NaN get the full exponent. */
@inline
export function loadF16(p: usize): v128 {
  const bits = v128.load_ext<u16>(p);
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  const special = v128.and(i32x4.ge_u(magnitude, i32x4.splat(0x0f800000)), i32x4.splat(0x7f800000));
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33)), special), sign);
}

/** What a dtype is called in the arguments of kernels. */
export const F32 = 0;
export const BF16 = 1;
export const F16 = 2;

/** Four numbers of a dtype from p; the dtype is a constant where this is used. */
@inline
export function load4(dtype: i32, p: usize): v128 {
  return dtype == F32 ? v128.load(p) : dtype == BF16 ? loadBf16(p) : loadF16(p);
}

/** One number of a dtype. */
@inline
export function load1(dtype: i32, p: usize): f32 {
  if (dtype == F32) return load<f32>(p);
  if (dtype == BF16) return reinterpret<f32>(<u32>load<u16>(p) << 16);
  const bits = <u32>load<u16>(p), magnitude = (bits & 0x7fff) << 13;
  const value = reinterpret<u32>(reinterpret<f32>(magnitude) * <f32>5.192296858534828e33);
  return reinterpret<f32>(value | (magnitude >= 0x0f800000 ? 0x7f800000 : 0) | ((bits & 0x8000) << 16));
}

/** Bytes of n numbers of a dtype. */
@inline
export function bytesOf(dtype: i32, n: usize): usize {
  return dtype == F32 ? n << 2 : n << 1;
}

/** Four bf16 from p. */
@inline
export function loadBf16(p: usize): v128 {
  return i32x4.shl(v128.load_ext<u16>(p), 16);
}

/** bf16 bits of four numbers, one in each 32-bit lane. */
@inline
export function toBf16(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd), 16);
  return v128.bitselect(i32x4.splat(0x7fc0), rounded, f32x4.ne(x, x));
}

/**
 * f16 bits of four numbers, one in each 32-bit lane. A number below 2⁻¹⁴ is rounded by adding 1/2, whose last place is worth f16's smallest step;
 * above, the mantissa is rounded in the integer, and a carry goes into the exponent as it should.
 */
@inline
export function toF16(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000));
  const small = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const large = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd), 13);
  let y = v128.bitselect(small, large, i32x4.lt_u(magnitude, i32x4.splat(113 << 23)));
  y = v128.bitselect(i32x4.splat(0x7c00), y, i32x4.ge_u(magnitude, i32x4.splat(0x477ff000))); // from 65520 on
  y = v128.or(y, sign);
  return v128.bitselect(i32x4.splat(0x7e00), y, i32x4.gt_u(magnitude, i32x4.splat(0x7f800000)));
}

/** The low 16 bits of each lane to p. */
@inline
export function store16(p: usize, x: v128): void {
  v128.store64_lane(p, v128.shuffle<u8>(x, x, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13), 0);
}
