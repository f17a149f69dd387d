// The head and its loss: attention's way of going through keys, with the vocabulary as keys and as values. Blocks of 128 logits of 40 rows are made, turned
// into e^(z − m) under a running maximum, and multiplied with the same 128 rows of the head; no more of the logits ever exists.
import { packTile } from "./gemm/pack-rows.as";
import { packedStrip4, packedStrip5 } from "./gemm/strip-packed.as";
import { BF16, bytesOf, F16, F32, load1, load4 } from "./simd/half.as";
import { capScores, capSlopes, slope4 } from "./simd/soft-cap.as";
import { softmaxSteps } from "./simd/softmax-step.as";
import { transpose4 } from "./simd/transpose.as";

/** Logits of a block: the depth of the second product, long enough that its tiles are worth storing. */
const BLOCK = 128;
/** Rows of a block: its scores, 20 KB, are packed while they are near. A multiple of 5 and of 4. */
const ROWS = 40;
/** Bytes of a row of scores. */
const SCORES = 512;

/**
 * x f32 [R, n] in tiles, as packRows leaves them, of 5 rows and the last of what is left; W [V, n]. A task is a part of the vocabulary, `part` entries (a multiple of 128). With R4 = ⌈R/4⌉·4 it leaves for each row: maxima f32
 * and totals f64 [parts, R4], sums Σ e^(z − max)·dz/ds·W f32 [parts, R4, wide] (where `sums` is not 0), and the target's logit [R] if it is of this part.
 * Room of a task, 64-byte aligned: the block's columns [16][n][8] and rows [wide/8][128][8], scores [40, 128] and those in tiles, factors [40].
 * Scratch: dz/ds [40, 128] where logits have a cap (`softcap` is not 0).
 */
export function linearCrossEntropy(
  x: usize, w: usize, dtype: i32, targets: usize, maxima: usize, totals: usize, sums: usize, logits: usize, room: usize, roomBytes: usize,
  R: usize, V: usize, n: usize, part: usize, softcap: f32, begin: usize, end: usize, scratch: usize,
): void {
  const wide = (n + 7) & ~7, rowsOfPart = (R + 3) & ~3, stride = wide << 2;
  for (let task = begin; task < end; task++) {
    const columns = room + task * roomBytes, rows = columns + n * (BLOCK << 2), scores = rows + (sums ? wide * (BLOCK << 2) : 0);
    const tiles = scores + ROWS * SCORES, factors = tiles + ROWS * SCORES, m = maxima + (task * rowsOfPart << 2), total = totals + (task * rowsOfPart << 3);
    const sum = sums + task * rowsOfPart * stride;
    for (let r: usize = 0; r < rowsOfPart; r++) {
      store<f32>(m + (r << 2), -Infinity);
      store<f64>(total + (r << 3), 0);
    }
    const first = task * part, last = min(V, first + part);
    for (let v = first; v < last; v += BLOCK) {
      const entries = min(last - v, <usize>BLOCK);
      pack(columns, sums ? rows : 0, w, dtype, v, entries, n, wide);
      for (let r: usize = 0; r < R; r += ROWS) {
        const many = min(R - r, <usize>ROWS), at = r << 2;
        // z = x·Wᵀ
        for (let c: usize = 0; c < entries; c += 8) strips(x + r * (n << 2), columns + c * (n << 2), n, scores + (c << 2), SCORES, 0, many);
        if (softcap) {
          for (let t: usize = 0; t < many; t++) {
            capScores(scores + t * SCORES, entries, softcap);
            if (sums) capSlopes(scratch + t * SCORES, scores + t * SCORES, entries, softcap);
          }
        }
        for (let t: usize = 0; t < many; t++) {
          const target = <usize>load<i32>(targets + at + (t << 2)) - v;
          if (target < entries) store<f32>(logits + at + (t << 2), load<f32>(scores + t * SCORES + (target << 2)));
        }
        for (let t: usize = 0; t < many; t += 4) {
          const width = <i32>((entries + 7) & ~7), row = r + t;
          softmaxSteps(scores + t * SCORES, SCORES, BLOCK, <i32>entries, <i32>(R - row), width, factors + (t << 2), m + (row << 2), total + (row << 3));
        }
        if (sums && softcap) {
          for (let t: usize = 0; t < many; t++) multiply(scores + t * SCORES, scratch + t * SCORES, entries);
        }
        if (!sums) continue;
        packScores(tiles, scores, many, entries);
        addGradients(sum + r * stride, stride, tiles, factors, rows, many, entries, v == first);
      }
    }
  }
}

/** n products, in place. */
@inline
function multiply(p: usize, by: usize, n: usize): void {
  for (const end = p + (n << 2); p < end; p += 16, by += 16) v128.store(p, f32x4.mul(v128.load(p), v128.load(by)));
}

/** C = A·B, or C + A·B where there is `from` (C itself), for `rows` rows in tiles by the 8 columns of one panel [depth][8]. */
@inline
function strips(a: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, rows: usize): void {
  const fives = rows / 5, done = fives * 5, rest = rows - done, row = depth << 2;
  if (fives) packedStrip5(a, row * 5, panel, depth, c, cRow, from, cRow, fives);
  if (rest) packedStrip4(a + done * row, row << 2, panel, depth, c + done * cRow, cRow, from ? from + done * cRow : 0, cRow, rest);
}

/** The scores of a block to tiles. */
function packScores(to: usize, scores: usize, rows: usize, entries: usize): void {
  let i: usize = 0;
  for (; i + 5 <= rows; i += 5) packTile(to + i * (entries << 2), scores + i * SCORES, SCORES, entries, 5, 5);
  if (i < rows) packTile(to + i * (entries << 2), scores + i * SCORES, SCORES, entries, 4, rows - i);
}

/** sum = sum·factor + e·W, or e·W alone the first time. Maxima seldom rise after the first blocks, and then factors are 1 and nothing is scaled. */
function addGradients(sum: usize, stride: usize, tiles: usize, factors: usize, rows: usize, many: usize, entries: usize, first: bool): void {
  for (let t: usize = 0; t < many && !first; t++) {
    const factor = load<f32>(factors + (t << 2)), row = sum + t * stride;
    if (factor == 1) continue;
    const f = f32x4.splat(factor);
    for (let p = row; p < row + stride; p += 16) v128.store(p, f32x4.mul(v128.load(p), f));
  }
  for (let d: usize = 0; d < stride; d += 32) strips(tiles, rows + d * BLOCK, entries, sum + d, stride, first ? 0 : sum + d, many);
}

function pack(columns: usize, rows: usize, w: usize, dtype: i32, v: usize, entries: usize, n: usize, wide: usize): void {
  const from = w + bytesOf(dtype, v * n);
  if (dtype == F32) packOf(F32, columns, rows, from, entries, n, wide);
  else if (dtype == BF16) packOf(BF16, columns, rows, from, entries, n, wide);
  else packOf(F16, columns, rows, from, entries, n, wide);
}

@inline
function packOf(dtype: i32, columns: usize, rows: usize, from: usize, entries: usize, n: usize, wide: usize): void {
  const stride = bytesOf(dtype, n), step = bytesOf(dtype, 4);
  for (let v: usize = 0; v < entries; v += 8, from += stride << 3) {
    const to = columns + v * (n << 2), count = min(entries - v, <usize>8);
    let d: usize = 0, p = from;
    if (count == 8) {
      for (; d + 4 <= n; d += 4, p += step) {
        const a = load4(dtype, p), b = load4(dtype, p + stride), c = load4(dtype, p + stride * 2), e = load4(dtype, p + stride * 3);
        const f = load4(dtype, p + stride * 4), g = load4(dtype, p + stride * 5), h = load4(dtype, p + stride * 6), i = load4(dtype, p + stride * 7);
        transpose4(to + (d << 5), 32, a, b, c, e);
        transpose4(to + (d << 5) + 16, 32, f, g, h, i);
        if (rows) {
          const at = rows + (d >> 3 << 12) + ((d & 4) << 2) + (v << 5);
          v128.store(at, a); v128.store(at, b, 32); v128.store(at, c, 64); v128.store(at, e, 96);
          v128.store(at, f, 128); v128.store(at, g, 160); v128.store(at, h, 192); v128.store(at, i, 224);
        }
      }
    }
    for (; d < wide; d++, p += bytesOf(dtype, 1)) {
      for (let c: usize = 0; c < 8; c++) {
        const value = d < n && c < count ? load1(dtype, p + c * stride) : 0;
        if (d < n) store<f32>(to + (d << 5) + (c << 2), value);
        if (rows) store<f32>(rows + (d >> 3 << 12) + (v + c << 5) + ((d & 7) << 2), value);
      }
    }
  }
}

/** Joins the parts: loss = ln Σ e^z − z[target], u = Σ e^z·dz/ds·W / Σ e^z − dz/ds·W[target]; u 0 for none. Tasks are rows. Scratch: a factor for each part. */
export function linearCrossEntropyJoin(
  loss: usize, u: usize, w: usize, dtype: i32, targets: usize, maxima: usize, totals: usize, sums: usize, logits: usize,
  R: usize, n: usize, parts: usize, softcap: f32, begin: usize, end: usize, scratch: usize,
): void {
  const wide = (n + 7) & ~7, rowsOfPart = (R + 3) & ~3;
  for (let r = begin; r < end; r++) {
    let m: f32 = -Infinity;
    for (let i: usize = 0; i < parts; i++) m = max<f32>(m, load<f32>(maxima + (i * rowsOfPart + r << 2)));
    let total: f64 = 0;
    for (let i: usize = 0; i < parts; i++) {
      const f = NativeMath.exp(<f64>load<f32>(maxima + (i * rowsOfPart + r << 2)) - <f64>m);
      store<f64>(scratch + (i << 3), f);
      total += f * load<f64>(totals + (i * rowsOfPart + r << 3));
    }
    store<f32>(loss + (r << 2), <f32>(<f64>m + NativeMath.log(total) - <f64>load<f32>(logits + (r << 2))));
    if (!u) continue;
    const to = u + (r * n << 2), target = w + bytesOf(dtype, <usize>load<i32>(targets + (r << 2)) * n);
    for (let d: usize = 0; d < n; d++) {
      const at = target + bytesOf(dtype, d);
      store<f32>(to + (d << 2), -(dtype == F32 ? load1(F32, at) : dtype == BF16 ? load1(BF16, at) : load1(F16, at)));
    }
    if (softcap) {
      const slope = f32x4.extract_lane(slope4(f32x4.splat(load<f32>(logits + (r << 2)) * (1 / softcap))), 0);
      for (let d: usize = 0; d < n; d++) store<f32>(to + (d << 2), load<f32>(to + (d << 2)) * slope);
    }
    for (let i: usize = 0; i < parts; i++) addScaled(to, sums + ((i * rowsOfPart + r) * wide << 2), <f32>(load<f64>(scratch + (i << 3)) / total), n);
  }
}

@inline
function addScaled(to: usize, from: usize, f: f32, n: usize): void {
  const factor = f32x4.splat(f), vectors = (n & ~3) << 2, bytes = n << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), f32x4.mul(v128.load(from + i), factor)));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i) * f);
}
