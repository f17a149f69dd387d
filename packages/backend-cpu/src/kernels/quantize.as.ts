// From f32 to 4-bit codes with a scale a block, and scales to 8 bits once more: core's quant/nearest-levels.ts in f32 step by step, so that bits are the same.
// A level is how many thresholds lie below the scaled value, and all of them below NaN. NaN stays in absmax, as f32x4.max and f32.max keep it.

/** Keeps the reciprocal finite. */
const TINY: f32 = 1e-38;

@inline
function largestOf(x: usize, count: usize): f32 {
  let largest = f32x4.splat(0), i: usize = 0;
  for (; i + 4 <= count; i += 4) largest = f32x4.max(largest, f32x4.abs(v128.load(x + (i << 2))));
  let one = max<f32>(max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)), max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)));
  for (; i < count; i++) one = max<f32>(one, abs<f32>(load<f32>(x + (i << 2))));
  return one;
}

/** How many of the 15 thresholds are not at or above each of four values, as a negative number less 15. */
@inline
function countAtOrAbove(value: v128, bound: v128, count: v128): v128 {
  return i32x4.add(count, f32x4.ge(bound, value));
}

/** x · factor within −1 … 1. */
@inline
function scaled(x: usize, factor: v128): v128 {
  return f32x4.min(f32x4.max(f32x4.mul(v128.load(x), factor), f32x4.splat(-1)), f32x4.splat(1));
}

/** The level of one value. */
@inline
function levelOf(value: f32, bounds: usize, count: usize): usize {
  let low: usize = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f32>(bounds + (middle << 2)) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** 16 values to 8 bytes of codes. */
function codes16(codes: usize, x: usize, factor: v128, bounds: usize, levels: v128, codeOf: v128): void {
  const a = scaled(x, factor), b = scaled(x + 16, factor), c = scaled(x + 32, factor), d = scaled(x + 48, factor);
  let i = i32x4.splat(15), j = i, k = i, l = i;
  for (let p = bounds; p != bounds + 60; p += 4) {
    const bound = v128.load_splat<f32>(p);
    i = countAtOrAbove(a, bound, i), j = countAtOrAbove(b, bound, j), k = countAtOrAbove(c, bound, k), l = countAtOrAbove(d, bound, l);
  }
  const level = i8x16.min_u(i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(i, j), i16x8.narrow_i32x4_u(k, l)), levels);
  const code = i8x16.swizzle(codeOf, level);
  const pairs = v128.and(v128.or(i16x8.shl(code, 4), i16x8.shr_u(code, 8)), i16x8.splat(0xff)); // the first of two is the high half
  v128.store64_lane(codes, i8x16.narrow_i16x8_u(pairs, pairs), 0);
}

/**
 * x f32 [n] → codes u8 [⌈n/2⌉], absmax f32 [⌈n/blockSize⌉]; tasks are blocks. bounds: 15 f32, ascending, those beyond `levels` infinite;
 * codeOf: 16 bytes, the code of each level; pad: the code that fills the last byte of an odd n.
 */
export function quantize(codes: usize, absmax: usize, x: usize, n: usize, blockSize: usize, bounds: usize, levels: usize, codeOf: usize, pad: u32, first: usize, end: usize): void {
  const table = v128.load(codeOf), most = i8x16.splat(<i8>levels);
  for (let block = first; block < end; block++) {
    const start = block * blockSize, count = min<usize>(blockSize, n - start), at = x + (start << 2), to = codes + (start >> 1);
    const largest = largestOf(at, count), divisor = max<f32>(largest, TINY);
    if (count == blockSize) {
      const factor = f32x4.splat(1 / divisor);
      store<f32>(absmax + (block << 2), largest);
      for (let i: usize = 0; i < count; i += 16) codes16(to + (i >> 1), at + (i << 2), factor, bounds, most, table);
    } else {
      store<f32>(absmax + (block << 2), divisor);
      for (let i: usize = 0; i < count; i += 2) {
        const high = codeAt(at + (i << 2), divisor, bounds, levels, codeOf), low = i + 1 < count ? codeAt(at + (i << 2) + 4, divisor, bounds, levels, codeOf) : pad;
        store<u8>(to + (i >> 1), <u8>((high << 4) | low));
      }
    }
  }
}

/** A short last block divides where others multiply. */
@inline
function codeAt(x: usize, divisor: f32, bounds: usize, levels: usize, codeOf: usize): u32 {
  const value = min<f32>(max<f32>(load<f32>(x) / divisor, -1), 1);
  return <u32>load<u8>(codeOf + levelOf(value, bounds, levels));
}

/** offset ← the mean of absmax [n], summed in f64 in order; 0 of none. */
export function meanOfScales(offset: usize, absmax: usize, n: usize): void {
  let sum: f64 = 0;
  for (let i: usize = 0; i < n; i++) sum += <f64>load<f32>(absmax + (i << 2));
  store<f32>(offset, n == 0 ? 0 : <f32>(sum / <f64>n));
}

/** absmax − offset → codes u8 [n], absmax2 f32 [⌈n/256⌉]; tasks are blocks of 256. bounds: 255 f32. */
export function quantizeScales(codes: usize, absmax2: usize, absmax: usize, offset: usize, n: usize, bounds: usize, first: usize, end: usize): void {
  const mean = load<f32>(offset);
  for (let block = first; block < end; block++) {
    const start = block << 8, stop = min<usize>(start + 256, n), full = stop - start == 256;
    let largest: f32 = 0;
    for (let i = start; i < stop; i++) largest = max<f32>(largest, abs<f32>(load<f32>(absmax + (i << 2)) - mean));
    const divisor = max<f32>(largest, TINY), reciprocal: f32 = 1 / divisor;
    store<f32>(absmax2 + (block << 2), full ? largest : divisor);
    for (let i = start; i < stop; i++) {
      const centred = load<f32>(absmax + (i << 2)) - mean, value = full ? centred * reciprocal : centred / divisor;
      store<u8>(codes + i, <u8>levelOf(min<f32>(max<f32>(value, -1), 1), bounds, 255));
    }
  }
}
