// A 4-bit weight [rows, width] to the same panels as pack-float.as.ts makes: the matrix is never whole in f32. Both ways of the product read the same
// bytes: Y = X·Wᵀ takes rows of W as columns of a panel, dX = dY·W takes them as its depth.
//
// Where `width` is a multiple of 32, a run of 32 codes from a multiple of 32 on lies in one row, begins at a whole byte, and has one scale (blocks are
// multiples of 32). Runs are then unpacked 16 codes at once. Other widths go weight by weight.
import { Product, Quantized } from "./product.as";
import { planeOf, scaleOf, storeValues, weightOf, zipHigh, zipLow } from "./quantized.as";

/** 8 rows of W, 32 codes each, become 32 steps of a panel. */
function packRun(w: Quantized, to: usize, at: usize, t0: v128, t1: v128, t2: v128, t3: v128): void {
  const bytes = w.width >> 1, p = w.codes + (at >> 1), q = p + 4 * bytes, s = w.width, shift = w.blockShift;
  let low = f32x4.splat(scaleOf(w, at >> shift)), high = f32x4.splat(scaleOf(w, (at + 4 * s) >> shift));
  low = f32x4.replace_lane(low, 1, scaleOf(w, (at + s) >> shift)), high = f32x4.replace_lane(high, 1, scaleOf(w, (at + 5 * s) >> shift));
  low = f32x4.replace_lane(low, 2, scaleOf(w, (at + 2 * s) >> shift)), high = f32x4.replace_lane(high, 2, scaleOf(w, (at + 6 * s) >> shift));
  low = f32x4.replace_lane(low, 3, scaleOf(w, (at + 3 * s) >> shift)), high = f32x4.replace_lane(high, 3, scaleOf(w, (at + 7 * s) >> shift));
  // 8 rows of 16 bytes -> 16 columns of 8 bytes, two to a vector
  const r0 = v128.load(p), r1 = v128.load(p + bytes), r2 = v128.load(p + 2 * bytes), r3 = v128.load(p + 3 * bytes);
  const r4 = v128.load(q), r5 = v128.load(q + bytes), r6 = v128.load(q + 2 * bytes), r7 = v128.load(q + 3 * bytes);
  for (let half = 0; half < 2; half++, to += 512) {
    const a = half ? zipHigh(r0, r4) : zipLow(r0, r4), b = half ? zipHigh(r1, r5) : zipLow(r1, r5);
    const c = half ? zipHigh(r2, r6) : zipLow(r2, r6), d = half ? zipHigh(r3, r7) : zipLow(r3, r7);
    const e = zipLow(a, c), f = zipLow(b, d), g = zipHigh(a, c), h = zipHigh(b, d);
    storeColumns(zipLow(e, f), t0, t1, t2, t3, low, high, to);
    storeColumns(zipHigh(e, f), t0, t1, t2, t3, low, high, to + 128);
    storeColumns(zipLow(g, h), t0, t1, t2, t3, low, high, to + 256);
    storeColumns(zipHigh(g, h), t0, t1, t2, t3, low, high, to + 384);
  }
}

/** Two bytes of each of 8 rows: four steps of the panel. The first code of a byte is its high half. */
@inline
function storeColumns(bytes: v128, t0: v128, t1: v128, t2: v128, t3: v128, low: v128, high: v128, to: usize): void {
  storeValues(i8x16.shr_u(bytes, 4), t0, t1, t2, t3, low, high, to, to + 64);
  storeValues(v128.and(bytes, i8x16.splat(15)), t0, t1, t2, t3, low, high, to + 32, to + 96);
}

/** Weight by weight: element (p, j) of the panels is weight at + p·step + j·column. */
function packEach(w: Quantized, to: usize, at: usize, step: usize, column: usize, depth: usize, columns: usize): void {
  for (let j: usize = 0; j < columns; j += 8) {
    for (let p: usize = 0; p < depth; p++, to += 32) {
      for (let i: usize = 0; i < 8; i++)
        store<f32>(to + (i << 2), j + i < columns ? weightOf(w, at + p * step + (j + i) * column) : 0);
    }
  }
}

/** Terms first … first + depth of columns column … column + columns of B = W (or Wᵀ). `first` is a multiple of 32. */
export function packQ4(product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  const w = changetype<Quantized>(b), width = w.width, panelBytes = depth << 5;
  const t0 = planeOf(w.codeBook, 0), t1 = planeOf(w.codeBook, 1), t2 = planeOf(w.codeBook, 2), t3 = planeOf(w.codeBook, 3);
  const runs = (width & 31) == 0;
  if (product.bTransposed) {
    const whole = runs ? columns & ~7 : 0;
    for (let j: usize = 0; j < whole; j += 8)
      for (let p: usize = 0; p < depth; p += 32) packRun(w, to + (j >> 3) * panelBytes + (p << 5), (column + j) * width + first + p, t0, t1, t2, t3);
    packEach(w, to + (whole >> 3) * panelBytes, (column + whole) * width + first, 1, width, depth, columns - whole);
    return;
  }
  const whole = runs && (column & 31) == 0 ? columns & ~31 : 0;
  for (let p: usize = 0; p < depth; p++) {
    for (let j: usize = 0; j < whole; j += 32) {
      const at = (first + p) * width + column + j;
      const scale = f32x4.splat(scaleOf(w, at >> w.blockShift));
      const bytes = v128.load(w.codes + (at >> 1));
      const even = i8x16.shr_u(bytes, 4), odd = v128.and(bytes, i8x16.splat(15));
      const panel = to + (j >> 3) * panelBytes + (p << 5);
      storeValues(zipLow(even, odd), t0, t1, t2, t3, scale, scale, panel, panel + panelBytes);
      storeValues(zipHigh(even, odd), t0, t1, t2, t3, scale, scale, panel + 2 * panelBytes, panel + 3 * panelBytes);
    }
  }
  packEach(w, to + (whole >> 3) * panelBytes, first * width + column + whole, width, 1, depth, columns - whole);
}
