// The head and its loss: attention's way of going through keys, with the vocabulary as keys and as values. Blocks of 64 logits of all rows are made, turned
// into e^(z − m) under a running maximum, and multiplied with the same 64 rows of the head; no more of the logits ever exists.
import { BF16, bytesOf, F16, F32, load1, load4 } from "./simd/half.as";
import { softmaxSteps } from "./simd/softmax-step.as";
import { tileScaleAdd, tileSet } from "./simd/tile.as";
import { transpose4 } from "./simd/transpose.as";

/** Logits of a block, and rows of a block. */
const BLOCK = 64;
/** Bytes of a row of scores. */
const SCORES = 256;

/**
 * x f32 [R, n], W [V, n]. A task is a part of the vocabulary, `part` entries (a multiple of 64). With R4 = ⌈R/4⌉·4 it leaves for each row: maxima f32
 * and totals f64 [parts, R4], sums Σ e^(z − max)·W f32 [parts, R4, wide] (where `sums` is not 0), and the target's logit [R] if it is of this part.
 * Room of a task, 64-byte aligned: the block's columns [8][n][8] and rows [wide/8][64][8], scores [64, 64], factors [64], and the last R mod 4 rows
 * of x [4, n].
 */
export function linearCrossEntropy(
  x: usize, w: usize, dtype: i32, targets: usize, maxima: usize, totals: usize, sums: usize, logits: usize, room: usize, roomBytes: usize,
  R: usize, V: usize, n: usize, part: usize, begin: usize, end: usize, scratch: usize,
): void {
  const wide = (n + 7) & ~7, rowsOfPart = (R + 3) & ~3;
  for (let task = begin; task < end; task++) {
    const columns = room + task * roomBytes, rows = columns + n * 256, scores = rows + (sums ? wide * 256 : 0), factors = scores + BLOCK * SCORES;
    const tail = factors + 256, m = maxima + (task * rowsOfPart << 2), total = totals + (task * rowsOfPart << 3);
    const sum = sums + (task * rowsOfPart * wide << 2);
    copyTail(tail, x, R, n);
    for (let r: usize = 0; r < rowsOfPart; r++) {
      store<f32>(m + (r << 2), -Infinity);
      store<f64>(total + (r << 3), 0);
    }
    if (sums) memory.fill(sum, 0, rowsOfPart * wide << 2);
    const last = min(V, (task + 1) * part);
    for (let v = task * part; v < last; v += BLOCK) {
      const entries = min(last - v, <usize>BLOCK);
      pack(columns, sums ? rows : 0, w, dtype, v, entries, n, wide);
      for (let r: usize = 0; r < R; r += BLOCK) {
        const many = min(R - r, <usize>BLOCK), at = r << 2;
        makeLogits(scores, x, tail, r, many, R, columns, entries, n);
        for (let t: usize = 0; t < many; t++) {
          const target = <usize>load<i32>(targets + at + (t << 2)) - v;
          if (target < entries) store<f32>(logits + at + (t << 2), load<f32>(scores + t * SCORES + (target << 2)));
        }
        for (let t: usize = 0; t < many; t += 4) {
          const width = <i32>((entries + 7) & ~7), row = r + t;
          softmaxSteps(scores + t * SCORES, SCORES, BLOCK, <i32>entries, <i32>(R - row), width, factors + (t << 2), m + (row << 2), total + (row << 3));
        }
        if (sums) addGradients(sum + (r * wide << 2), scores, factors, rows, many, entries, wide);
      }
    }
  }
}

/** z = x·Wᵀ for rows r … r + many − 1 */
function makeLogits(scores: usize, x: usize, tail: usize, r: usize, many: usize, R: usize, columns: usize, entries: usize, n: usize): void {
  for (let c: usize = 0; c < entries; c += 8) {
    for (let t: usize = 0; t < many; t += 4) {
      const from = r + t + 4 <= R ? x + ((r + t) * n << 2) : tail;
      tileSet(from, n << 2, columns + c * (n << 2), 32, n, scores + t * SCORES + (c << 2), SCORES);
    }
  }
}

/** sum = sum·factor + e·W. Rows of the last tile beyond `many` are spare. */
function addGradients(sum: usize, scores: usize, factors: usize, rows: usize, many: usize, entries: usize, wide: usize): void {
  const stride = wide << 2;
  for (let d: usize = 0; d < wide; d += 8) {
    const panel = rows + (d << 8);
    for (let t: usize = 0; t < many; t += 4)
      tileScaleAdd(scores + t * SCORES, SCORES, panel, 32, entries, sum + t * stride + (d << 2), stride, factors + (t << 2));
  }
}

/** The last R mod 4 rows of x, and rows of zeros up to 4. */
function copyTail(to: usize, x: usize, R: usize, n: usize): void {
  const rows = R & 3, bytes = n << 2;
  memory.copy(to, x + (R - rows) * bytes, rows * bytes);
  memory.fill(to + rows * bytes, 0, (4 - rows) * bytes);
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
          const at = rows + (d >> 3 << 11) + ((d & 4) << 2) + (v << 5);
          v128.store(at, a); v128.store(at, b, 32); v128.store(at, c, 64); v128.store(at, e, 96);
          v128.store(at, f, 128); v128.store(at, g, 160); v128.store(at, h, 192); v128.store(at, i, 224);
        }
      }
    }
    for (; d < wide; d++, p += bytesOf(dtype, 1)) {
      for (let c: usize = 0; c < 8; c++) {
        const value = d < n && c < count ? load1(dtype, p + c * stride) : 0;
        if (d < n) store<f32>(to + (d << 5) + (c << 2), value);
        if (rows) store<f32>(rows + (d >> 3 << 11) + (v + c << 5) + ((d & 7) << 2), value);
      }
    }
  }
}

/** Joins the parts: loss = ln Σ e^z − z[target], u = Σ e^z·W / Σ e^z − W[target]; u 0 for none. Tasks are rows. Scratch: a factor for each part. */
export function linearCrossEntropyJoin(
  loss: usize, u: usize, w: usize, dtype: i32, targets: usize, maxima: usize, totals: usize, sums: usize, logits: usize,
  R: usize, n: usize, parts: usize, begin: usize, end: usize, scratch: usize,
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
