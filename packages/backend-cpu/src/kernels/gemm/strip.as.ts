// The micro-kernel: tiles of C, 5 or 4 rows by 8 columns, one below the other. C = from + A·B over `depth` terms; all time of a product is spent here.
//
// a       first of the rows of A, aRow bytes apart
// panel   of B: [depth][8], so that a step over depth reads 32 bytes in a row
// c       8 columns of C, rows cRow bytes apart
// from    what is added, rows fromRow bytes apart; 0 for nothing
//
// A step is 2 loads of B and, for each row, one broadcast load of A, 2 products, 2 sums. Ten sums, two of B, two of A and a product are the 15 registers
// V8 has for them; 6 rows or 12 columns spill. The branches on `b`, which is a multiple of 16, are never taken: V8 puts all loads of a basic block
// before its arithmetic, and the processor then has runs of arithmetic that it cannot take in as fast as it computes. Cut into small blocks, loads stay
// between products: 45 instead of 32 GFLOP/s on a Zen 3 whose limit is 51. An element's terms are added in order of depth in either tile: the same bits.

/** Tiles of 5 rows. */
export function strip5(a: usize, aRow: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, tiles: usize): void {
  const zero = i32x4.splat(0), body = panel + ((depth & ~7) << 5), end = panel + (depth << 5);
  for (; tiles != 0; tiles--) {
    let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero, c40 = zero, c41 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16);
        x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 1) break;
        x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 2) break;
        x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 3) break;
        b0 = v128.load(b, 32), b1 = v128.load(b, 48);
        x = v128.load_splat<f32>(a0, 4), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 4) break;
        x = v128.load_splat<f32>(a1, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 4), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 5) break;
        x = v128.load_splat<f32>(a3, 4), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 4), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 6) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80);
        x = v128.load_splat<f32>(a0, 8), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 7) break;
        x = v128.load_splat<f32>(a1, 8), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 8) break;
        x = v128.load_splat<f32>(a3, 8), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 8), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 9) break;
        b0 = v128.load(b, 96), b1 = v128.load(b, 112);
        x = v128.load_splat<f32>(a0, 12), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 10) break;
        x = v128.load_splat<f32>(a1, 12), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 12), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 11) break;
        x = v128.load_splat<f32>(a3, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 12), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 12) break;
        a0 += 16, a1 += 16, a2 += 16, a3 += 16, a4 += 16;
        b0 = v128.load(b, 128), b1 = v128.load(b, 144);
        x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 13) break;
        x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 14) break;
        x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 15) break;
        b0 = v128.load(b, 160), b1 = v128.load(b, 176);
        x = v128.load_splat<f32>(a0, 4), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 16) break;
        x = v128.load_splat<f32>(a1, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 4), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 17) break;
        x = v128.load_splat<f32>(a3, 4), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 4), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 18) break;
        b0 = v128.load(b, 192), b1 = v128.load(b, 208);
        x = v128.load_splat<f32>(a0, 8), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 19) break;
        x = v128.load_splat<f32>(a1, 8), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 20) break;
        x = v128.load_splat<f32>(a3, 8), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 8), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        if (b == 21) break;
        b0 = v128.load(b, 224), b1 = v128.load(b, 240);
        x = v128.load_splat<f32>(a0, 12), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 22) break;
        x = v128.load_splat<f32>(a1, 12), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 12), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 23) break;
        x = v128.load_splat<f32>(a3, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a4, 12), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
        a0 += 16, a1 += 16, a2 += 16, a3 += 16, a4 += 16;
        b += 256;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16);
      x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a4), c40 = f32x4.add(c40, f32x4.mul(x, b0)), c41 = f32x4.add(c41, f32x4.mul(x, b1));
      a0 += 4, a1 += 4, a2 += 4, a3 += 4, a4 += 4;
    }
    a += aRow * 5;
    if (from != 0) {
      c00 = f32x4.add(v128.load(from), c00), c01 = f32x4.add(v128.load(from, 16), c01), from += fromRow;
      c10 = f32x4.add(v128.load(from), c10), c11 = f32x4.add(v128.load(from, 16), c11), from += fromRow;
      c20 = f32x4.add(v128.load(from), c20), c21 = f32x4.add(v128.load(from, 16), c21), from += fromRow;
      c30 = f32x4.add(v128.load(from), c30), c31 = f32x4.add(v128.load(from, 16), c31), from += fromRow;
      c40 = f32x4.add(v128.load(from), c40), c41 = f32x4.add(v128.load(from, 16), c41), from += fromRow;
    }
    v128.store(c, c00), v128.store(c, c01, 16), c += cRow;
    v128.store(c, c10), v128.store(c, c11, 16), c += cRow;
    v128.store(c, c20), v128.store(c, c21, 16), c += cRow;
    v128.store(c, c30), v128.store(c, c31, 16), c += cRow;
    v128.store(c, c40), v128.store(c, c41, 16), c += cRow;
  }
}

/** Tiles of 4 rows, for what 5 do not divide; the last may have fewer. */
export function strip4(a: usize, aRow: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, rows: usize): void {
  const zero = i32x4.splat(0), body = panel + ((depth & ~7) << 5), end = panel + (depth << 5);
  for (; rows != 0; rows -= min<usize>(rows, 4)) {
    let a0 = a, a1 = a + aRow * min<usize>(rows - 1, 1), a2 = a + aRow * min<usize>(rows - 1, 2), a3 = a + aRow * min<usize>(rows - 1, 3), b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16);
        x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 1) break;
        x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 2) break;
        x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 32), b1 = v128.load(b, 48);
        x = v128.load_splat<f32>(a0, 4), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 3) break;
        x = v128.load_splat<f32>(a1, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 4), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 4) break;
        x = v128.load_splat<f32>(a3, 4), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 64), b1 = v128.load(b, 80);
        x = v128.load_splat<f32>(a0, 8), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 5) break;
        x = v128.load_splat<f32>(a1, 8), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 6) break;
        x = v128.load_splat<f32>(a3, 8), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 96), b1 = v128.load(b, 112);
        x = v128.load_splat<f32>(a0, 12), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 7) break;
        x = v128.load_splat<f32>(a1, 12), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 12), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 8) break;
        x = v128.load_splat<f32>(a3, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        a0 += 16, a1 += 16, a2 += 16, a3 += 16;
        b0 = v128.load(b, 128), b1 = v128.load(b, 144);
        x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 9) break;
        x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 10) break;
        x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 160), b1 = v128.load(b, 176);
        x = v128.load_splat<f32>(a0, 4), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 11) break;
        x = v128.load_splat<f32>(a1, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 4), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 12) break;
        x = v128.load_splat<f32>(a3, 4), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 192), b1 = v128.load(b, 208);
        x = v128.load_splat<f32>(a0, 8), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 13) break;
        x = v128.load_splat<f32>(a1, 8), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 14) break;
        x = v128.load_splat<f32>(a3, 8), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        b0 = v128.load(b, 224), b1 = v128.load(b, 240);
        x = v128.load_splat<f32>(a0, 12), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
        if (b == 15) break;
        x = v128.load_splat<f32>(a1, 12), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load_splat<f32>(a2, 12), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
        if (b == 16) break;
        x = v128.load_splat<f32>(a3, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
        a0 += 16, a1 += 16, a2 += 16, a3 += 16;
        b += 256;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16);
      x = v128.load_splat<f32>(a0), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
      x = v128.load_splat<f32>(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
      a0 += 4, a1 += 4, a2 += 4, a3 += 4;
    }
    a += aRow * 4;
    if (from != 0) {
      c00 = f32x4.add(v128.load(from), c00), c01 = f32x4.add(v128.load(from, 16), c01), from += fromRow;
      if (rows > 1) c10 = f32x4.add(v128.load(from), c10), c11 = f32x4.add(v128.load(from, 16), c11), from += fromRow;
      if (rows > 2) c20 = f32x4.add(v128.load(from), c20), c21 = f32x4.add(v128.load(from, 16), c21), from += fromRow;
      if (rows > 3) c30 = f32x4.add(v128.load(from), c30), c31 = f32x4.add(v128.load(from, 16), c31), from += fromRow;
    }
    v128.store(c, c00), v128.store(c, c01, 16), c += cRow;
    if (rows > 1) v128.store(c, c10), v128.store(c, c11, 16), c += cRow;
    if (rows > 2) v128.store(c, c20), v128.store(c, c21, 16), c += cRow;
    if (rows > 3) v128.store(c, c30), v128.store(c, c31, 16), c += cRow;
  }
}
