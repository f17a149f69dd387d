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
// between products. What is left is how many instructions the processor takes in: a turn of V8's loop costs as much as a step, so 32 steps make a turn.
// On a Zen 3 whose limit is 51 GFLOP/s: 32 as one block, 43 cut with 8 steps a turn, 45 with 32. An element's terms are added in order of depth in either
// tile: the same bits.

/** c + x·b, rounded twice. */
@inline
export function madd(c: v128, x: v128, b: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, b));
}

/** Tiles of 5 rows. */
export function strip5(a: usize, aRow: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, tiles: usize): void {
  const zero = i32x4.splat(0), body = panel + ((depth & ~31) << 5), end = panel + (depth << 5);
  for (; tiles != 0; tiles--) {
    let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero, c40 = zero, c41 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 1) break;
        x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 2) break;
        x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 3) break;
        b0 = v128.load(b, 32), b1 = v128.load(b, 48), x = v128.load_splat<f32>(a0, 4), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 4) break;
        x = v128.load_splat<f32>(a1, 4), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 4), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 5) break;
        x = v128.load_splat<f32>(a3, 4), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 4), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 6) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), x = v128.load_splat<f32>(a0, 8), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 7) break;
        x = v128.load_splat<f32>(a1, 8), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 8), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 8) break;
        x = v128.load_splat<f32>(a3, 8), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 8), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 9) break;
        b0 = v128.load(b, 96), b1 = v128.load(b, 112), x = v128.load_splat<f32>(a0, 12), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 10) break;
        x = v128.load_splat<f32>(a1, 12), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 12), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 11) break;
        x = v128.load_splat<f32>(a3, 12), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 12), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 12) break;
        b0 = v128.load(b, 128), b1 = v128.load(b, 144), x = v128.load_splat<f32>(a0, 16), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 13) break;
        x = v128.load_splat<f32>(a1, 16), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 16), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 14) break;
        x = v128.load_splat<f32>(a3, 16), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 16), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 15) break;
        b0 = v128.load(b, 160), b1 = v128.load(b, 176), x = v128.load_splat<f32>(a0, 20), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 16) break;
        x = v128.load_splat<f32>(a1, 20), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 20), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 17) break;
        x = v128.load_splat<f32>(a3, 20), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 20), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 18) break;
        b0 = v128.load(b, 192), b1 = v128.load(b, 208), x = v128.load_splat<f32>(a0, 24), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 19) break;
        x = v128.load_splat<f32>(a1, 24), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 24), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 20) break;
        x = v128.load_splat<f32>(a3, 24), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 24), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 21) break;
        b0 = v128.load(b, 224), b1 = v128.load(b, 240), x = v128.load_splat<f32>(a0, 28), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 22) break;
        x = v128.load_splat<f32>(a1, 28), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 28), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 23) break;
        x = v128.load_splat<f32>(a3, 28), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 28), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 24) break;
        b0 = v128.load(b, 256), b1 = v128.load(b, 272), x = v128.load_splat<f32>(a0, 32), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 25) break;
        x = v128.load_splat<f32>(a1, 32), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 32), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 26) break;
        x = v128.load_splat<f32>(a3, 32), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 32), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 27) break;
        b0 = v128.load(b, 288), b1 = v128.load(b, 304), x = v128.load_splat<f32>(a0, 36), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 28) break;
        x = v128.load_splat<f32>(a1, 36), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 36), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 29) break;
        x = v128.load_splat<f32>(a3, 36), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 36), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 30) break;
        b0 = v128.load(b, 320), b1 = v128.load(b, 336), x = v128.load_splat<f32>(a0, 40), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 31) break;
        x = v128.load_splat<f32>(a1, 40), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 40), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 32) break;
        x = v128.load_splat<f32>(a3, 40), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 40), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 33) break;
        b0 = v128.load(b, 352), b1 = v128.load(b, 368), x = v128.load_splat<f32>(a0, 44), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 34) break;
        x = v128.load_splat<f32>(a1, 44), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 44), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 35) break;
        x = v128.load_splat<f32>(a3, 44), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 44), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 36) break;
        b0 = v128.load(b, 384), b1 = v128.load(b, 400), x = v128.load_splat<f32>(a0, 48), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 37) break;
        x = v128.load_splat<f32>(a1, 48), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 48), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 38) break;
        x = v128.load_splat<f32>(a3, 48), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 48), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 39) break;
        b0 = v128.load(b, 416), b1 = v128.load(b, 432), x = v128.load_splat<f32>(a0, 52), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 40) break;
        x = v128.load_splat<f32>(a1, 52), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 52), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 41) break;
        x = v128.load_splat<f32>(a3, 52), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 52), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 42) break;
        b0 = v128.load(b, 448), b1 = v128.load(b, 464), x = v128.load_splat<f32>(a0, 56), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 43) break;
        x = v128.load_splat<f32>(a1, 56), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 56), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 44) break;
        x = v128.load_splat<f32>(a3, 56), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 56), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 45) break;
        b0 = v128.load(b, 480), b1 = v128.load(b, 496), x = v128.load_splat<f32>(a0, 60), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 46) break;
        x = v128.load_splat<f32>(a1, 60), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 60), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 47) break;
        x = v128.load_splat<f32>(a3, 60), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 60), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 48) break;
        b0 = v128.load(b, 512), b1 = v128.load(b, 528), x = v128.load_splat<f32>(a0, 64), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 49) break;
        x = v128.load_splat<f32>(a1, 64), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 64), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 50) break;
        x = v128.load_splat<f32>(a3, 64), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 64), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 51) break;
        b0 = v128.load(b, 544), b1 = v128.load(b, 560), x = v128.load_splat<f32>(a0, 68), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 52) break;
        x = v128.load_splat<f32>(a1, 68), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 68), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 53) break;
        x = v128.load_splat<f32>(a3, 68), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 68), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 54) break;
        b0 = v128.load(b, 576), b1 = v128.load(b, 592), x = v128.load_splat<f32>(a0, 72), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 55) break;
        x = v128.load_splat<f32>(a1, 72), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 72), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 56) break;
        x = v128.load_splat<f32>(a3, 72), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 72), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 57) break;
        b0 = v128.load(b, 608), b1 = v128.load(b, 624), x = v128.load_splat<f32>(a0, 76), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 58) break;
        x = v128.load_splat<f32>(a1, 76), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 76), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 59) break;
        x = v128.load_splat<f32>(a3, 76), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 76), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 60) break;
        b0 = v128.load(b, 640), b1 = v128.load(b, 656), x = v128.load_splat<f32>(a0, 80), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 61) break;
        x = v128.load_splat<f32>(a1, 80), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 80), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 62) break;
        x = v128.load_splat<f32>(a3, 80), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 80), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 63) break;
        b0 = v128.load(b, 672), b1 = v128.load(b, 688), x = v128.load_splat<f32>(a0, 84), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 64) break;
        x = v128.load_splat<f32>(a1, 84), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 84), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 65) break;
        x = v128.load_splat<f32>(a3, 84), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 84), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 66) break;
        b0 = v128.load(b, 704), b1 = v128.load(b, 720), x = v128.load_splat<f32>(a0, 88), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 67) break;
        x = v128.load_splat<f32>(a1, 88), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 88), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 68) break;
        x = v128.load_splat<f32>(a3, 88), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 88), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 69) break;
        b0 = v128.load(b, 736), b1 = v128.load(b, 752), x = v128.load_splat<f32>(a0, 92), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 70) break;
        x = v128.load_splat<f32>(a1, 92), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 92), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 71) break;
        x = v128.load_splat<f32>(a3, 92), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 92), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 72) break;
        b0 = v128.load(b, 768), b1 = v128.load(b, 784), x = v128.load_splat<f32>(a0, 96), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 73) break;
        x = v128.load_splat<f32>(a1, 96), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 96), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 74) break;
        x = v128.load_splat<f32>(a3, 96), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 96), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 75) break;
        b0 = v128.load(b, 800), b1 = v128.load(b, 816), x = v128.load_splat<f32>(a0, 100), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 76) break;
        x = v128.load_splat<f32>(a1, 100), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 100), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 77) break;
        x = v128.load_splat<f32>(a3, 100), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 100), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 78) break;
        b0 = v128.load(b, 832), b1 = v128.load(b, 848), x = v128.load_splat<f32>(a0, 104), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 79) break;
        x = v128.load_splat<f32>(a1, 104), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 104), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 80) break;
        x = v128.load_splat<f32>(a3, 104), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 104), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 81) break;
        b0 = v128.load(b, 864), b1 = v128.load(b, 880), x = v128.load_splat<f32>(a0, 108), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 82) break;
        x = v128.load_splat<f32>(a1, 108), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 108), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 83) break;
        x = v128.load_splat<f32>(a3, 108), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 108), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 84) break;
        b0 = v128.load(b, 896), b1 = v128.load(b, 912), x = v128.load_splat<f32>(a0, 112), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 85) break;
        x = v128.load_splat<f32>(a1, 112), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 112), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 86) break;
        x = v128.load_splat<f32>(a3, 112), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 112), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 87) break;
        b0 = v128.load(b, 928), b1 = v128.load(b, 944), x = v128.load_splat<f32>(a0, 116), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 88) break;
        x = v128.load_splat<f32>(a1, 116), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 116), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 89) break;
        x = v128.load_splat<f32>(a3, 116), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 116), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 90) break;
        b0 = v128.load(b, 960), b1 = v128.load(b, 976), x = v128.load_splat<f32>(a0, 120), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 91) break;
        x = v128.load_splat<f32>(a1, 120), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 120), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 92) break;
        x = v128.load_splat<f32>(a3, 120), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 120), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 93) break;
        b0 = v128.load(b, 992), b1 = v128.load(b, 1008), x = v128.load_splat<f32>(a0, 124), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 94) break;
        x = v128.load_splat<f32>(a1, 124), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 124), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 95) break;
        x = v128.load_splat<f32>(a3, 124), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 124), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1);
        a0 += 128, a1 += 128, a2 += 128, a3 += 128, a4 += 128, b += 1024;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 1) break;
      x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 2) break;
      x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1);
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
  const zero = i32x4.splat(0), body = panel + ((depth & ~15) << 5), end = panel + (depth << 5);
  for (; rows != 0; rows -= min<usize>(rows, 4)) {
    let a0 = a, a1 = a + aRow * min<usize>(rows - 1, 1), a2 = a + aRow * min<usize>(rows - 1, 2), a3 = a + aRow * min<usize>(rows - 1, 3), b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 1) break;
        x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 2) break;
        x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 32), b1 = v128.load(b, 48), x = v128.load_splat<f32>(a0, 4), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 3) break;
        x = v128.load_splat<f32>(a1, 4), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 4), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 4) break;
        x = v128.load_splat<f32>(a3, 4), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), x = v128.load_splat<f32>(a0, 8), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 5) break;
        x = v128.load_splat<f32>(a1, 8), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 8), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 6) break;
        x = v128.load_splat<f32>(a3, 8), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 96), b1 = v128.load(b, 112), x = v128.load_splat<f32>(a0, 12), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 7) break;
        x = v128.load_splat<f32>(a1, 12), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 12), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 8) break;
        x = v128.load_splat<f32>(a3, 12), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 128), b1 = v128.load(b, 144), x = v128.load_splat<f32>(a0, 16), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 9) break;
        x = v128.load_splat<f32>(a1, 16), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 16), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 10) break;
        x = v128.load_splat<f32>(a3, 16), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 160), b1 = v128.load(b, 176), x = v128.load_splat<f32>(a0, 20), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 11) break;
        x = v128.load_splat<f32>(a1, 20), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 20), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 12) break;
        x = v128.load_splat<f32>(a3, 20), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 192), b1 = v128.load(b, 208), x = v128.load_splat<f32>(a0, 24), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 13) break;
        x = v128.load_splat<f32>(a1, 24), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 24), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 14) break;
        x = v128.load_splat<f32>(a3, 24), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 224), b1 = v128.load(b, 240), x = v128.load_splat<f32>(a0, 28), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 15) break;
        x = v128.load_splat<f32>(a1, 28), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 28), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 16) break;
        x = v128.load_splat<f32>(a3, 28), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 256), b1 = v128.load(b, 272), x = v128.load_splat<f32>(a0, 32), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 17) break;
        x = v128.load_splat<f32>(a1, 32), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 32), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 18) break;
        x = v128.load_splat<f32>(a3, 32), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 288), b1 = v128.load(b, 304), x = v128.load_splat<f32>(a0, 36), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 19) break;
        x = v128.load_splat<f32>(a1, 36), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 36), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 20) break;
        x = v128.load_splat<f32>(a3, 36), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 320), b1 = v128.load(b, 336), x = v128.load_splat<f32>(a0, 40), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 21) break;
        x = v128.load_splat<f32>(a1, 40), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 40), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 22) break;
        x = v128.load_splat<f32>(a3, 40), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 352), b1 = v128.load(b, 368), x = v128.load_splat<f32>(a0, 44), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 23) break;
        x = v128.load_splat<f32>(a1, 44), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 44), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 24) break;
        x = v128.load_splat<f32>(a3, 44), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 384), b1 = v128.load(b, 400), x = v128.load_splat<f32>(a0, 48), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 25) break;
        x = v128.load_splat<f32>(a1, 48), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 48), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 26) break;
        x = v128.load_splat<f32>(a3, 48), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 416), b1 = v128.load(b, 432), x = v128.load_splat<f32>(a0, 52), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 27) break;
        x = v128.load_splat<f32>(a1, 52), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 52), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 28) break;
        x = v128.load_splat<f32>(a3, 52), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 448), b1 = v128.load(b, 464), x = v128.load_splat<f32>(a0, 56), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 29) break;
        x = v128.load_splat<f32>(a1, 56), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 56), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 30) break;
        x = v128.load_splat<f32>(a3, 56), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        b0 = v128.load(b, 480), b1 = v128.load(b, 496), x = v128.load_splat<f32>(a0, 60), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 31) break;
        x = v128.load_splat<f32>(a1, 60), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 60), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 32) break;
        x = v128.load_splat<f32>(a3, 60), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        a0 += 64, a1 += 64, a2 += 64, a3 += 64, b += 512;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 1) break;
      x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
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
