// Causal attention, forward: blocks of queries against blocks of keys with a running maximum and sum (Dao et al. 2022), so a T×T matrix never exists.
// A block of queries of one head is a task; blocks of keys that none of them sees are left out. Rows are copied into scratch, padded with zeros to whole tiles, so every head size takes the same path.
import { columnsOf, copyRows, hidden, packColumns, tilesHidden, visible } from "./simd/attention-block.as";
import { dot } from "./simd/dot.as";
import { log4 } from "./simd/log.as";
import { capScores } from "./simd/soft-cap.as";
import { softmaxStep, softmaxSteps } from "./simd/softmax-step.as";
import { tileScaleAdd, tileSet } from "./simd/tile.as";

/**
 * q, y [B, T, H, D], k, v [B, S, G, D], starts i32 [B], l [B, H, T]. Tasks: B·H·⌈T/block⌉, the longest first. Scratch holds, with ld = ⌈D/8⌉·8 + 8:
 * queries, values, sums [block, ld] each, the keys' columns [block/8][D][8], scores [block, block], and four numbers a query.
 */
export function attention(
  q: usize, k: usize, v: usize, starts: usize, y: usize, l: usize, B: usize, T: usize, H: usize, D: usize, S: usize, G: usize,
  scale: f32, offset: usize, window: usize, softcap: f32, block: usize, begin: usize, end: usize, scratch: usize,
): void {
  const blocks = (T + block - 1) / block;
  for (let task = begin; task < end; task++) {
    const head = task % (B * H), b = head / H, h = head - b * H;
    const t0 = (blocks - 1 - task / (B * H)) * block;
    const start = <usize>max(load<i32>(starts + (b << 2)), 0);
    const g = h * G / H;
    blockOfQueries(
      q + ((b * T + t0) * H + h) * D * 4, k + (b * S * G + g) * D * 4, v + (b * S * G + g) * D * 4,
      y + ((b * T + t0) * H + h) * D * 4, l + (head * T + t0) * 4,
      min(block, T - t0), H * D * 4, G * D * 4, D, scale, start, offset + t0, window, softcap, block, scratch,
    );
  }
}

/**
 * `n` queries, the first at position `at` among the keys. Strides in bytes. Tiles begin at the column `from`, of the first key that any of their rows sees.
 * The first block of keys begins where the window of the first query does, so each row that sees any key sees one there, and its maximum is finite.
 */
function blockOfQueries(
  q: usize, k: usize, v: usize, y: usize, l: usize, n: usize, qStride: usize, kStride: usize, D: usize,
  scale: f32, start: usize, at: usize, window: usize, softcap: f32, block: usize, scratch: usize,
): void {
  const wide = (D + 7) & ~7, ld = (wide + 8) << 2, rows = (n + 3) & ~3, lp = block << 2;
  const queries = scratch, values = queries + block * ld, sums = values + block * ld, columns = sums + block * ld;
  const scores = columns + block * wide * 4, factors = scores + block * lp, largestSoFar = factors + lp, totals = largestSoFar + lp;
  copyRows(queries, ld, q, qStride, n, D, wide, rows, scale);
  memory.fill(sums, 0, block * ld);
  for (let t: usize = 0; t < rows; t++) {
    store<f32>(largestSoFar + (t << 2), -Infinity);
    store<f64>(totals + (t << 3), 0);
  }
  for (let j = max(start, hidden(at, 0, window)); j < at + n; j += block) {
    const keys = min(block, at + n - j), windowed = hidden(at + n, j, window) > 0;
    packColumns(columns, k + j * kStride, kStride, keys, D, wide);
    copyRows(values, ld, v + j * kStride, kStride, keys, D, wide, keys, 1);
    for (let c: usize = 0; c < keys; c += 8) {
      for (let t: usize = 0; t < rows; t += 4)
        if (visible(at + t + 3, j, keys) > c && tilesHidden(at + t, j, window) <= c)
          tileSet(queries + t * ld, ld, columns + c * wide * 4, 32, wide, scores + t * lp + (c << 2), lp);
    }
    for (let t: usize = 0; t < rows; t += 4) {
      const from = tilesHidden(at + t, j, window), width = columnsOf(visible(at + t + 3, j, keys)), at4 = t << 2;
      const row = scores + t * lp + (from << 2), first = <i32>(at + t + 1 - j - from);
      for (let r: usize = 0; r < 4 && (softcap || windowed); r++) {
        if (softcap) capScores(row + r * lp, width - from, softcap);
        hideFirst(row + r * lp, min(hidden(at + t + r, j + from, window), width - from));
      }
      softmaxSteps(row, lp, first, <i32>(keys - from), <i32>(n - t), <i32>(width - from), factors + at4, largestSoFar + at4, totals + (t << 3));
    }
    for (let d: usize = 0; d < wide; d += 8) {
      for (let t: usize = 0; t < rows; t += 4) {
        const from = tilesHidden(at + t, j, window), steps = visible(at + t + 3, j, keys) - from;
        const p = scores + t * lp + (from << 2), v = values + from * ld + (d << 2);
        tileScaleAdd(p, lp, v, ld, steps, sums + t * ld + (d << 2), ld, factors + (t << 2));
      }
    }
  }
  for (let t: usize = 0; t < n; t++)
    finish(y + t * qStride, l + (t << 2), sums + t * ld, load<f32>(largestSoFar + (t << 2)), load<f64>(totals + (t << 3)), D);
}

/** Scores of keys before a row's window. */
@inline
function hideFirst(row: usize, n: usize): void {
  for (const end = row + (n << 2); row < end; row += 4) store<f32>(row, -Infinity);
}

/** y = sums / total, l = m + ln total; 0 and −∞ where no key was seen. */
@inline
function finish(y: usize, l: usize, sums: usize, m: f32, total: f64, D: usize): void {
  if (total == 0) {
    memory.fill(y, 0, D << 2);
    store<f32>(l, -Infinity);
    return;
  }
  const f = <f32>(1 / total);
  for (let d: usize = 0; d < D; d++) store<f32>(y + (d << 2), load<f32>(sums + (d << 2)) * f);
  store<f32>(l, m + f32x4.extract_lane(log4(f32x4.splat(<f32>total)), 0));
}

/** The same for few queries: nothing is packed, keys and values are read where they lie. Tasks: B·T·H. Scratch: the query [D] and scores [64]. */
export function attentionRows(
  q: usize, k: usize, v: usize, starts: usize, y: usize, l: usize, T: usize, H: usize, D: usize, S: usize, G: usize,
  scale: f32, offset: usize, window: usize, softcap: f32, begin: usize, end: usize, scratch: usize,
): void {
  const scores = scratch + (D + 3 << 2 & ~15), factor = scores + 256, m = factor + 4, total = factor + 8;
  const stride = G * D * 4;
  for (let task = begin; task < end; task++) {
    const h = task % H, bt = task / H, t = bt % T, b = bt / T;
    const from = (b * S * G + h * G / H) * D * 4, last = offset + t + 1, row = y + task * D * 4;
    copyRows(scratch, 0, q + task * D * 4, 0, 1, D, D, 1, scale);
    memory.fill(row, 0, D << 2);
    store<f32>(m, -Infinity);
    store<f64>(total, 0);
    for (let j = max(<usize>max(load<i32>(starts + (b << 2)), 0), hidden(last - 1, 0, window)); j < last; j += 64) {
      const keys = min(last - j, <usize>64);
      for (let c: usize = 0; c < keys; c++) store<f32>(scores + (c << 2), <f32>dot(scratch, k + from + (j + c) * stride, D));
      if (softcap) capScores(scores, keys, softcap);
      softmaxStep(scores, keys, factor, m, total);
      addRows(row, v + from + j * stride, stride, scores, keys, load<f32>(factor), D);
    }
    finish(row, l + ((b * H + h) * T + t << 2), row, load<f32>(m), load<f64>(total), D);
  }
}

/** y = y·f + Σ_j p[j]·v[j] */
@inline
function addRows(y: usize, v: usize, stride: usize, p: usize, keys: usize, f: f32, D: usize): void {
  let d: usize = 0;
  for (; d + 16 <= D; d += 16) {
    const at = d << 2, ff = f32x4.splat(f);
    let s0 = f32x4.mul(v128.load(y + at), ff), s1 = f32x4.mul(v128.load(y + at, 16), ff);
    let s2 = f32x4.mul(v128.load(y + at, 32), ff), s3 = f32x4.mul(v128.load(y + at, 48), ff);
    let from = v + at;
    for (let j = p; j < p + (keys << 2); j += 4, from += stride) {
      const x = v128.load32_splat(j);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(from)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(from, 16)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(from, 32)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(from, 48)));
    }
    v128.store(y + at, s0); v128.store(y + at, s1, 16); v128.store(y + at, s2, 32); v128.store(y + at, s3, 48);
  }
  for (; d < D; d++) {
    let s = load<f32>(y + (d << 2)) * f;
    for (let j: usize = 0; j < keys; j++) s += load<f32>(p + (j << 2)) * load<f32>(v + j * stride + (d << 2));
    store<f32>(y + (d << 2), s);
  }
}
