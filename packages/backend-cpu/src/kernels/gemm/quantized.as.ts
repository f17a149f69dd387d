// Reading a 4-bit weight: scales of blocks, and codes to values by table. A code's value is four bytes; four tables of 16 bytes hold the first bytes of
// all 16 values, the second ones, and so on, so that one swizzle looks up a byte of 16 codes at once. Values are exact f32.
import { Quantized } from "./product.as";

/** The scale of a block: absmax, or map[code] · absmax2 + offset, rounded after each of the two. */
@inline
export function scaleOf(w: Quantized, block: usize): f32 {
  if (w.map == 0) return load<f32>(w.scales + (block << 2));
  const value = load<f32>(w.map + (<usize>load<u8>(w.scales + block) << 2));
  return value * load<f32>(w.scales2 + (block >> 8 << 2)) + load<f32>(w.offset);
}

/** One weight: codeBook[code] · scale. */
@inline
export function weightOf(w: Quantized, i: usize): f32 {
  const byte = <u32>load<u8>(w.codes + (i >> 1));
  const code = i & 1 ? byte & 15 : byte >> 4;
  return load<f32>(w.codeBook + (code << 2)) * scaleOf(w, i >> w.blockShift);
}

/** Byte `plane` of each of the 16 values of a code book. */
@inline
export function planeOf(book: usize, plane: i32): v128 {
  // shifting a lane right by whole bytes leaves the byte that is wanted lowest
  const shift = plane << 3;
  const a = i32x4.shr_u(v128.load(book), shift), b = i32x4.shr_u(v128.load(book, 16), shift);
  const c = i32x4.shr_u(v128.load(book, 32), shift), d = i32x4.shr_u(v128.load(book, 48), shift);
  const ab = v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const cd = v128.shuffle<u8>(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  return v128.shuffle<u64>(ab, cd, 0, 2);
}

@inline
export function zipLow(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
@inline
export function zipHigh(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
@inline
export function zipLow16(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
@inline
export function zipHigh16(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** The values of 16 codes times two scales: codes 0–3 · low and 4–7 · high to `first`, 8–11 · low and 12–15 · high to `second`. */
@inline
export function storeValues(codes: v128, t0: v128, t1: v128, t2: v128, t3: v128, low: v128, high: v128, first: usize, second: usize): void {
  const p0 = i8x16.swizzle(t0, codes), p1 = i8x16.swizzle(t1, codes), p2 = i8x16.swizzle(t2, codes), p3 = i8x16.swizzle(t3, codes);
  const l01 = zipLow(p0, p1), l23 = zipLow(p2, p3), h01 = zipHigh(p0, p1), h23 = zipHigh(p2, p3);
  v128.store(first, f32x4.mul(zipLow16(l01, l23), low)), v128.store(first, f32x4.mul(zipHigh16(l01, l23), high), 16);
  v128.store(second, f32x4.mul(zipLow16(h01, h23), low)), v128.store(second, f32x4.mul(zipHigh16(h01, h23), high), 16);
}
