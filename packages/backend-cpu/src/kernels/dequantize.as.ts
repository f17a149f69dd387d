// 4-bit weights to f32: all of them, or the rows that ids name.
import { Quantized } from "./gemm/product.as";
import { planeOf, scaleOf, storeValues, weightOf, zipHigh, zipLow } from "./gemm/quantized.as";

/** Weights at … at + count to f32 at `to`; 32 at a time from a multiple of 32 on, which has one scale. */
function unpack(w: Quantized, to: usize, at: usize, count: usize): void {
  const t0 = planeOf(w.codeBook, 0), t1 = planeOf(w.codeBook, 1), t2 = planeOf(w.codeBook, 2), t3 = planeOf(w.codeBook, 3), end = at + count;
  for (; at < end && (at & 31) != 0; at++, to += 4) store<f32>(to, weightOf(w, at));
  for (; at + 32 <= end; at += 32, to += 128) {
    const scale = f32x4.splat(scaleOf(w, at >> w.blockShift)), bytes = v128.load(w.codes + (at >> 1));
    const even = i8x16.shr_u(bytes, 4), odd = v128.and(bytes, i8x16.splat(15));
    storeValues(zipLow(even, odd), t0, t1, t2, t3, scale, scale, to, to + 32);
    storeValues(zipHigh(even, odd), t0, t1, t2, t3, scale, scale, to + 64, to + 96);
  }
  for (; at < end; at++, to += 4) store<f32>(to, weightOf(w, at));
}

/** y[i] = codeBook[code of i] · scale of its block; tasks are strips of 4096. */
export function dequantize(y: usize, w: Quantized, n: usize, first: usize, end: usize): void {
  const at = first << 12;
  unpack(w, y + (at << 2), at, min<usize>(end << 12, n) - at);
}

/** y[j] = row ids[j]; tasks are rows of y. */
export function qembedding(y: usize, ids: usize, w: Quantized, first: usize, end: usize): void {
  for (let j = first; j < end; j++) unpack(w, y + (j * w.width << 2), <usize>load<i32>(ids + (j << 2)) * w.width, w.width);
}
