// AdamW with 8-bit moments in place, a block of 256 after the other (core's optim/adamw-8bit.ts and quant/nearest-levels.ts tell the arithmetic).

const BLOCK: usize = 256;
/** The signed map's code of 0. */
const ZERO: usize = 127;
/** As in adamw-8bit.ts. */
const CELL_SHIFT = 18;
const FIRST_CELL: u32 = 103 << 5;
const CELLS: u32 = 24 * 32 + 1;
const TINY: f32 = 1e-38;

/**
 * Tasks are blocks. `maps`: the signed map f32 [256] of m, its 255 thresholds and ∞; the same of the unsigned map of v; then how many thresholds lie below
 * each cell (adamw-8bit.ts), u8 [2, CELLS] for either. Scratch: m, and v, of a block with three times its room behind each.
 */
export function adamW8bit(
  p: usize, m: usize, v: usize, mMax: usize, vMax: usize, g: usize, gradScale: usize, maps: usize,
  keep: f32, gain1: f32, keep2: f32, gain2: f32, rate: f32, correction: f32, small: f32, total: usize, begin: usize, end: usize, scratch: usize,
): void {
  const factor = load<f32>(gradScale), newM = scratch, newV = scratch + BLOCK * 16;
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK, n = min(BLOCK, total - first);
    const scaleM = load<f32>(mMax + (block << 2)), scaleV = load<f32>(vMax + (block << 2));
    for (let i: usize = 0; i < n; i++) {
      store<f32>(newM + (i << 2), load<f32>(maps + (<usize>load<u8>(m + first + i) << 2)) * scaleM);
      store<f32>(newV + (i << 2), load<f32>(maps + 2048 + (<usize>load<u8>(v + first + i) << 2)) * scaleV);
    }
    const at = first << 2, whole = (n & ~3) << 2;
    let i: usize = 0;
    for (; i < whole; i += 16) {
      const grad = f32x4.mul(v128.load(g + at + i), f32x4.splat(factor)), before = v128.load(newM + i), old = v128.load(p + at + i);
      const m1 = f32x4.add(before, f32x4.mul(f32x4.splat(gain1), f32x4.sub(grad, before)));
      const v1 = f32x4.add(f32x4.mul(v128.load(newV + i), f32x4.splat(keep2)), f32x4.mul(f32x4.mul(f32x4.splat(gain2), grad), grad));
      const root = f32x4.add(f32x4.div(f32x4.sqrt(v1), f32x4.splat(correction)), f32x4.splat(small));
      const moved = f32x4.add(f32x4.mul(old, f32x4.splat(keep)), f32x4.div(f32x4.mul(f32x4.splat(rate), m1), root));
      const finite = f32x4.lt(f32x4.abs(grad), f32x4.splat(Infinity));
      v128.store(p + at + i, v128.bitselect(moved, old, finite));
      v128.store(newM + i, v128.and(m1, finite));
      v128.store(newV + i, v128.and(v1, finite));
    }
    for (; i < n << 2; i += 4) {
      const grad = load<f32>(g + at + i) * factor, before = load<f32>(newM + i);
      let m1 = before + gain1 * (grad - before);
      let v1 = load<f32>(newV + i) * keep2 + gain2 * grad * grad;
      if (isFinite<f32>(grad)) store<f32>(p + at + i, load<f32>(p + at + i) * keep + (rate * m1) / (sqrt<f32>(v1) / correction + small));
      else m1 = v1 = 0;
      store<f32>(newM + i, m1);
      store<f32>(newV + i, v1);
    }
    quantize(true, m + first, mMax + (block << 2), newM, n, maps, maps + 4096);
    quantize(false, v + first, vMax + (block << 2), newV, n, maps + 2048, maps + 4096 + 2 * CELLS);
  }
}

/** Codes and absmax of n ≤ 256 numbers, which are lost. A full block is multiplied by 1 / absmax, a short one divided, as the originals do. */
@inline
function quantize(keepSign: bool, codes: usize, absmax: usize, values: usize, n: usize, map: usize, cells: usize): void {
  const last = values + (n << 2), end = values + ((n + 3) >> 2 << 4);
  for (let p = last; p < end; p += 4) store<f32>(p, 0);
  let most4 = f32x4.splat(0);
  for (let p = values; p < end; p += 16) most4 = f32x4.max(most4, f32x4.abs(v128.load(p)));
  most4 = f32x4.max(most4, v128.shuffle<u32>(most4, most4, 2, 3, 0, 1));
  const most = f32x4.extract_lane(f32x4.max(most4, v128.shuffle<u32>(most4, most4, 1, 0, 3, 2)), 0);
  const divisor = max<f32>(most, TINY), reciprocal = f32x4.splat(<f32>1 / divisor), full = n == BLOCK;
  store<f32>(absmax, full ? most : divisor);
  const one = f32x4.splat(1);
  for (let p = values; p < end; p += 16) {
    const value = v128.load(p);
    const scaled = full ? f32x4.mul(value, reciprocal) : f32x4.div(value, f32x4.splat(divisor));
    const clamped = f32x4.pmax(f32x4.pmin(scaled, one), f32x4.neg(one));
    v128.store(p, clamped);
    v128.store(p + 1024, v128.and(f32x4.lt(value, f32x4.splat(0)), i32x4.splat(1)));
    v128.store(p + 2048, v128.and(f32x4.gt(value, f32x4.splat(0)), i32x4.splat(1)));
  }
  for (let p = values; p < last; p += 4) {
    let code = level(map + 1024, cells, load<f32>(p));
    if (keepSign) code += (load<u32>(p + 2048) & <u32>(code < ZERO)) - (load<u32>(p + 1024) & <u32>(code >= ZERO));
    store<u8>(codes + (p - values >> 2), <u8>code);
  }
}

/** How many of 255 ascending thresholds lie below x, |x| ≤ 1; all of them below NaN. x's sign, exponent and first digits say how many there are at least. */
@inline
function level(bounds: usize, cells: usize, x: f32): usize {
  const bits = reinterpret<u32>(x), cell = min(max((bits & 0x7fffffff) >> CELL_SHIFT, FIRST_CELL) - FIRST_CELL, CELLS - 1) + (bits >> 31) * CELLS;
  let p = bounds + (<usize>load<u8>(cells + cell) << 2);
  p += <usize>(load<f32>(p) < x) << 2;
  p += <usize>(load<f32>(p) < x) << 2;
  p += <usize>(load<f32>(p) < x) << 2;
  return x == x ? p - bounds >> 2 : 255;
}
