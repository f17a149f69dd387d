// AdamW with 8-bit moments in place, a block of 256 after the other (core's optim/adamw-8bit.ts and quant/nearest-levels.ts tell the arithmetic).

const BLOCK: usize = 256;
const TINY: f32 = 1e-38;

/**
 * Tasks are blocks. `maps`: the signed map f32 [256] of m, its 255 thresholds and one number to fill up, and the same of the unsigned map of v.
 * Scratch: p, m and v of a block, f32.
 */
export function adamW8bit(
  p: usize, m: usize, v: usize, mMax: usize, vMax: usize, g: usize, gradScale: usize, maps: usize,
  keep: f32, gain1: f32, keep2: f32, gain2: f32, rate: f32, correction: f32, small: f32, total: usize, begin: usize, end: usize, scratch: usize,
): void {
  const factor = load<f32>(gradScale), newM = scratch, newV = scratch + BLOCK * 4;
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK, n = min(BLOCK, total - first);
    const scaleM = load<f32>(mMax + (block << 2)), scaleV = load<f32>(vMax + (block << 2));
    for (let i: usize = 0; i < n; i++) {
      const at = first + i, grad = load<f32>(g + (at << 2)) * factor;
      const before = load<f32>(maps + (<usize>load<u8>(m + at) << 2)) * scaleM;
      let m1 = before + gain1 * (grad - before);
      let v1 = load<f32>(maps + 2048 + (<usize>load<u8>(v + at) << 2)) * scaleV * keep2 + gain2 * grad * grad;
      if (isFinite<f32>(grad)) store<f32>(p + (at << 2), load<f32>(p + (at << 2)) * keep + (rate * m1) / (sqrt<f32>(v1) / correction + small));
      else m1 = v1 = 0;
      store<f32>(newM + (i << 2), m1);
      store<f32>(newV + (i << 2), v1);
    }
    quantize(true, m + first, mMax + (block << 2), newM, n, maps);
    quantize(false, v + first, vMax + (block << 2), newV, n, maps + 2048);
  }
}

/** Codes and absmax of n ≤ 256 numbers. A full block is multiplied by 1 / absmax, a short one divided, as the originals do. */
@inline
function quantize(keepSign: bool, codes: usize, absmax: usize, from: usize, n: usize, map: usize): void {
  let most: f32 = 0;
  for (let i: usize = 0; i < n; i++) most = max<f32>(most, abs<f32>(load<f32>(from + (i << 2))));
  const divisor = max<f32>(most, TINY), reciprocal: f32 = <f32>1 / divisor, full = n == BLOCK;
  store<f32>(absmax, full ? most : divisor);
  for (let i: usize = 0; i < n; i++) {
    const value = load<f32>(from + (i << 2));
    const scaled = max<f32>(min<f32>(full ? value * reciprocal : value / divisor, 1), -1);
    let code = level(map + 1024, scaled);
    if (keepSign) {
      const found = load<f32>(map + (code << 2));
      if (value < 0 && found >= 0) code--;
      else if (value > 0 && found < 0) code++;
    }
    store<u8>(codes + i, <u8>code);
  }
}

/** How many of 255 ascending thresholds lie below x; all of them below NaN. */
@inline
function level(bounds: usize, x: f32): usize {
  if (x != x) return 255;
  let low: usize = 0;
  for (let half: usize = 128; half > 0; half >>= 1) low += load<f32>(bounds + (low + half - 1 << 2)) < x ? half : 0;
  return low;
}
