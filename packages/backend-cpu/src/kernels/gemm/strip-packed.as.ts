// The micro-kernel over rows of A that pack-rows.as.ts has laid step by step, [depth][5] or [depth][4]. What strip.as.ts says holds here; an element's
// terms are added in the same order, so both give the same bits. A tile reads A in a row here, where rows of A lie pages apart in strip.as.ts: fewer
// waits for the second- and third-level cache, and short depths cost less. Each row keeps a pointer of its own, because V8 spends an
// instruction on each different constant of a broadcast load, and so one on a step instead of five.
//
// a       first tile of A, at the first term; aTile bytes from a tile to the next
//
// Of 51 GFLOP/s, with A from the third-level cache: 45 in packed tiles, 43 in rows.
import { madd } from "./strip.as";

/** Tiles of 5 rows. */
export function packedStrip5(a: usize, aTile: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, tiles: usize): void {
  const zero = i32x4.splat(0), body = panel + ((depth & ~15) << 5), end = panel + (depth << 5);
  for (; tiles != 0; tiles--, a += aTile) {
    let a0 = a, a1 = a + 4, a2 = a + 8, a3 = a + 12, a4 = a + 16, b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero, c40 = zero, c41 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 1) break;
        x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 2) break;
        x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 3) break;
        b0 = v128.load(b, 32), b1 = v128.load(b, 48), x = v128.load_splat<f32>(a0, 20), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 4) break;
        x = v128.load_splat<f32>(a1, 20), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 20), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 5) break;
        x = v128.load_splat<f32>(a3, 20), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 20), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 6) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), x = v128.load_splat<f32>(a0, 40), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 7) break;
        x = v128.load_splat<f32>(a1, 40), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 40), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 8) break;
        x = v128.load_splat<f32>(a3, 40), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 40), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 9) break;
        b0 = v128.load(b, 96), b1 = v128.load(b, 112), x = v128.load_splat<f32>(a0, 60), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 10) break;
        x = v128.load_splat<f32>(a1, 60), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 60), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 11) break;
        x = v128.load_splat<f32>(a3, 60), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 60), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 12) break;
        b0 = v128.load(b, 128), b1 = v128.load(b, 144), x = v128.load_splat<f32>(a0, 80), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 13) break;
        x = v128.load_splat<f32>(a1, 80), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 80), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 14) break;
        x = v128.load_splat<f32>(a3, 80), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 80), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 15) break;
        b0 = v128.load(b, 160), b1 = v128.load(b, 176), x = v128.load_splat<f32>(a0, 100), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 17) break;
        x = v128.load_splat<f32>(a1, 100), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 100), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 18) break;
        x = v128.load_splat<f32>(a3, 100), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 100), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 19) break;
        b0 = v128.load(b, 192), b1 = v128.load(b, 208), x = v128.load_splat<f32>(a0, 120), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 20) break;
        x = v128.load_splat<f32>(a1, 120), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 120), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 21) break;
        x = v128.load_splat<f32>(a3, 120), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 120), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 22) break;
        b0 = v128.load(b, 224), b1 = v128.load(b, 240), x = v128.load_splat<f32>(a0, 140), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 23) break;
        x = v128.load_splat<f32>(a1, 140), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 140), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 24) break;
        x = v128.load_splat<f32>(a3, 140), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 140), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 25) break;
        b0 = v128.load(b, 256), b1 = v128.load(b, 272), x = v128.load_splat<f32>(a0, 160), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 26) break;
        x = v128.load_splat<f32>(a1, 160), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 160), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 27) break;
        x = v128.load_splat<f32>(a3, 160), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 160), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 28) break;
        b0 = v128.load(b, 288), b1 = v128.load(b, 304), x = v128.load_splat<f32>(a0, 180), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 29) break;
        x = v128.load_splat<f32>(a1, 180), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 180), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 30) break;
        x = v128.load_splat<f32>(a3, 180), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 180), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 31) break;
        b0 = v128.load(b, 320), b1 = v128.load(b, 336), x = v128.load_splat<f32>(a0, 200), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 33) break;
        x = v128.load_splat<f32>(a1, 200), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 200), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 34) break;
        x = v128.load_splat<f32>(a3, 200), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 200), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 35) break;
        b0 = v128.load(b, 352), b1 = v128.load(b, 368), x = v128.load_splat<f32>(a0, 220), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 36) break;
        x = v128.load_splat<f32>(a1, 220), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 220), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 37) break;
        x = v128.load_splat<f32>(a3, 220), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 220), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 38) break;
        b0 = v128.load(b, 384), b1 = v128.load(b, 400), x = v128.load_splat<f32>(a0, 240), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 39) break;
        x = v128.load_splat<f32>(a1, 240), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 240), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 40) break;
        x = v128.load_splat<f32>(a3, 240), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 240), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 41) break;
        b0 = v128.load(b, 416), b1 = v128.load(b, 432), x = v128.load_splat<f32>(a0, 260), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 42) break;
        x = v128.load_splat<f32>(a1, 260), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 260), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 43) break;
        x = v128.load_splat<f32>(a3, 260), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 260), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 44) break;
        b0 = v128.load(b, 448), b1 = v128.load(b, 464), x = v128.load_splat<f32>(a0, 280), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 45) break;
        x = v128.load_splat<f32>(a1, 280), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 280), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 46) break;
        x = v128.load_splat<f32>(a3, 280), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 280), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1); if (b == 47) break;
        b0 = v128.load(b, 480), b1 = v128.load(b, 496), x = v128.load_splat<f32>(a0, 300), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 49) break;
        x = v128.load_splat<f32>(a1, 300), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a2, 300), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 50) break;
        x = v128.load_splat<f32>(a3, 300), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a4, 300), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1);
        a0 += 320, a1 += 320, a2 += 320, a3 += 320, a4 += 320, b += 512;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1); if (b == 1) break;
      x = v128.load_splat<f32>(a0, 4), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1), x = v128.load_splat<f32>(a0, 8), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1); if (b == 2) break;
      x = v128.load_splat<f32>(a0, 12), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1), x = v128.load_splat<f32>(a0, 16), c40 = madd(c40, x, b0), c41 = madd(c41, x, b1);
      a0 += 20;
    }
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
export function packedStrip4(a: usize, aTile: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, rows: usize): void {
  const zero = i32x4.splat(0), body = panel + ((depth & ~15) << 5), end = panel + (depth << 5);
  for (; rows != 0; rows -= min<usize>(rows, 4), a += aTile) {
    let a0 = a, a1 = a + 4, a2 = a + 8, a3 = a + 12, b = panel;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let b0: v128, b1: v128, x: v128;
    if (b != body) {
      do {
        b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 1) break;
        x = v128.load_splat<f32>(a2), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 2) break;
        b0 = v128.load(b, 32), b1 = v128.load(b, 48), x = v128.load_splat<f32>(a0, 16), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 16), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 3) break;
        x = v128.load_splat<f32>(a2, 16), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 16), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 4) break;
        b0 = v128.load(b, 64), b1 = v128.load(b, 80), x = v128.load_splat<f32>(a0, 32), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 32), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 5) break;
        x = v128.load_splat<f32>(a2, 32), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 32), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 6) break;
        b0 = v128.load(b, 96), b1 = v128.load(b, 112), x = v128.load_splat<f32>(a0, 48), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 48), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 7) break;
        x = v128.load_splat<f32>(a2, 48), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 48), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 8) break;
        b0 = v128.load(b, 128), b1 = v128.load(b, 144), x = v128.load_splat<f32>(a0, 64), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 64), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 9) break;
        x = v128.load_splat<f32>(a2, 64), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 64), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 10) break;
        b0 = v128.load(b, 160), b1 = v128.load(b, 176), x = v128.load_splat<f32>(a0, 80), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 80), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 11) break;
        x = v128.load_splat<f32>(a2, 80), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 80), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 12) break;
        b0 = v128.load(b, 192), b1 = v128.load(b, 208), x = v128.load_splat<f32>(a0, 96), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 96), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 13) break;
        x = v128.load_splat<f32>(a2, 96), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 96), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 14) break;
        b0 = v128.load(b, 224), b1 = v128.load(b, 240), x = v128.load_splat<f32>(a0, 112), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 112), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 15) break;
        x = v128.load_splat<f32>(a2, 112), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 112), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 17) break;
        b0 = v128.load(b, 256), b1 = v128.load(b, 272), x = v128.load_splat<f32>(a0, 128), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 128), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 18) break;
        x = v128.load_splat<f32>(a2, 128), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 128), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 19) break;
        b0 = v128.load(b, 288), b1 = v128.load(b, 304), x = v128.load_splat<f32>(a0, 144), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 144), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 20) break;
        x = v128.load_splat<f32>(a2, 144), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 144), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 21) break;
        b0 = v128.load(b, 320), b1 = v128.load(b, 336), x = v128.load_splat<f32>(a0, 160), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 160), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 22) break;
        x = v128.load_splat<f32>(a2, 160), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 160), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 23) break;
        b0 = v128.load(b, 352), b1 = v128.load(b, 368), x = v128.load_splat<f32>(a0, 176), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 176), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 24) break;
        x = v128.load_splat<f32>(a2, 176), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 176), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 25) break;
        b0 = v128.load(b, 384), b1 = v128.load(b, 400), x = v128.load_splat<f32>(a0, 192), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 192), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 26) break;
        x = v128.load_splat<f32>(a2, 192), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 192), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 27) break;
        b0 = v128.load(b, 416), b1 = v128.load(b, 432), x = v128.load_splat<f32>(a0, 208), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 208), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 28) break;
        x = v128.load_splat<f32>(a2, 208), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 208), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 29) break;
        b0 = v128.load(b, 448), b1 = v128.load(b, 464), x = v128.load_splat<f32>(a0, 224), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 224), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 30) break;
        x = v128.load_splat<f32>(a2, 224), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 224), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1); if (b == 31) break;
        b0 = v128.load(b, 480), b1 = v128.load(b, 496), x = v128.load_splat<f32>(a0, 240), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a1, 240), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 33) break;
        x = v128.load_splat<f32>(a2, 240), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a3, 240), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
        a0 += 256, a1 += 256, a2 += 256, a3 += 256, b += 512;
      } while (b != body);
    }
    for (; b != end; b += 32) {
      b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load_splat<f32>(a0), c00 = madd(c00, x, b0), c01 = madd(c01, x, b1), x = v128.load_splat<f32>(a0, 4), c10 = madd(c10, x, b0), c11 = madd(c11, x, b1); if (b == 1) break;
      x = v128.load_splat<f32>(a0, 8), c20 = madd(c20, x, b0), c21 = madd(c21, x, b1), x = v128.load_splat<f32>(a0, 12), c30 = madd(c30, x, b0), c31 = madd(c31, x, b1);
      a0 += 16;
    }
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
