// Between f32 and the other dtypes. Tasks are chunks of `chunk` elements, a multiple of 4.
import { BF16, bytesOf, F16, load1, load4, store16, toBf16, toF16 } from "./simd/half.as";

/** y f32 from x of a 16-bit float. */
export function castWiden(y: usize, x: usize, dtype: i32, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  if (dtype == BF16) widen(BF16, y, x, begin * chunk, last);
  else widen(F16, y, x, begin * chunk, last);
}

@inline
function widen(dtype: i32, y: usize, x: usize, i: usize, last: usize): void {
  for (; i + 4 <= last; i += 4) v128.store(y + (i << 2), load4(dtype, x + bytesOf(dtype, i)));
  for (; i < last; i++) store<f32>(y + (i << 2), load1(dtype, x + bytesOf(dtype, i)));
}

/** y of a 16-bit float from x f32. */
export function castNarrow(y: usize, x: usize, dtype: i32, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  if (dtype == BF16) narrow(BF16, y, x, begin * chunk, last);
  else narrow(F16, y, x, begin * chunk, last);
}

@inline
function narrow(dtype: i32, y: usize, x: usize, i: usize, last: usize): void {
  for (; i + 4 <= last; i += 4) store16(y + (i << 1), rounded(dtype, v128.load(x + (i << 2))));
  for (; i < last; i++) store<u16>(y + (i << 1), <u16>i32x4.extract_lane(rounded(dtype, v128.load32_splat(x + (i << 2))), 0));
}

@inline
function rounded(dtype: i32, x: v128): v128 {
  return dtype == BF16 ? toBf16(x) : toF16(x);
}

export function castI32ToF32(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  for (let i = begin * chunk; i < last; i++) store<f32>(y + (i << 2), <f32>load<i32>(x + (i << 2)));
}
export function castU8ToF32(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  for (let i = begin * chunk; i < last; i++) store<f32>(y + (i << 2), <f32>load<u8>(x + i));
}
/** Cut towards 0, within the range, NaN to 0. */
export function castF32ToI32(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  for (let i = begin * chunk; i < last; i++) store<i32>(y + (i << 2), whole(x + (i << 2)));
}
export function castF32ToU8(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total);
  for (let i = begin * chunk; i < last; i++) store<u8>(y + i, <u8>max(min(whole(x + (i << 2)), 255), 0));
}

@inline
function whole(p: usize): i32 {
  return i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(v128.load32_splat(p)), 0);
}
