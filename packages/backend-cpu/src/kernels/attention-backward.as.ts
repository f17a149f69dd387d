// Causal attention, backward: scores are computed again from q, k and the rows' logarithms of sums, block against block, and never kept. With p = e^(s − L):
//   δ[t] = dy[t]·y[t]     dp = dy·vᵀ     ds = p·(dp − δ)     dq = scale·ds·k     dk = scale·dsᵀ·q     dv = pᵀ·dy
// Where scores are capped, z = cap·tanh(s / cap) stands for s in p, and ds is multiplied by 1 − (z / cap)². Only blocks of queries that see keys of a block are met.
// A task is one query head, or all that share a key head: then dk and dv are added up in it, else attentionAddHeads does so afterwards.
import { columnsOf, copyRows, hidden, packColumns, tilesHidden, visible } from "./simd/attention-block.as";
import { dot } from "./simd/dot.as";
import { expNegative4 } from "./simd/exp.as";
import { slope4 } from "./simd/soft-cap.as";
import { tanh4 } from "./simd/tanh.as";
import { tileScaleAdd, tileSet, tileTransposedAdd } from "./simd/tile.as";

/**
 * q, y, dy, dq [B, T, H, D], k, v [B, S, G, D], l [B, H, T], dk, dv [B, S, H/heads, D]; tasks: B·H/heads. Scratch, with ld = ⌈D/8⌉·8 + 8: queries, dy, dq,
 * keys, dk, dv [block, ld] each, the columns of keys and of values [block/8][D][8], p and ds [block, block], and L, δ, 1 [block].
 */
export function attentionBackward(
  q: usize, k: usize, v: usize, starts: usize, y: usize, l: usize, dy: usize, dq: usize, dk: usize, dv: usize,
  T: usize, H: usize, D: usize, S: usize, G: usize, scale: f32, offset: usize, window: usize, softcap: f32, block: usize, heads: usize,
  begin: usize, end: usize, scratch: usize,
): void {
  const wide = (D + 7) & ~7, ld = (wide + 8) << 2, queries = H / heads, outStride = queries * D << 2, kStride = G * D << 2, qStride = H * D << 2;
  const keyRows = scratch, dkRows = keyRows + block * ld, dvRows = dkRows + block * ld, keyColumns = dvRows + block * ld;
  const valueColumns = keyColumns + block * wide * 4, rest = valueColumns + block * wide * 4;
  for (let task = begin; task < end; task++) {
    const b = task / queries, w = task - b * queries, h0 = w * heads;
    const kv = (b * S * G + h0 * G / H) * D << 2, out = (b * S * queries + w) * D << 2;
    const start = min(<usize>max(load<i32>(starts + (b << 2)), 0), S), last = offset + T;
    zeroRows(dq + ((b * T * H + h0) * D << 2), qStride, T, heads * D);
    zeroRows(dk + out, outStride, start, D);
    zeroRows(dv + out, outStride, start, D);
    const unseen = max(start, last);
    zeroRows(dk + out + unseen * outStride, outStride, S - unseen, D);
    zeroRows(dv + out + unseen * outStride, outStride, S - unseen, D);
    for (let j = start; j < last; j += block) {
      const keys = min(block, last - j);
      packColumns(keyColumns, k + kv + j * kStride, kStride, keys, D, wide);
      packColumns(valueColumns, v + kv + j * kStride, kStride, keys, D, wide);
      copyRows(keyRows, ld, k + kv + j * kStride, kStride, keys, D, wide, keys, scale);
      memory.fill(dkRows, 0, 2 * block * ld);
      const first = j > offset ? (j - offset) / block * block : 0;
      const after = min(T, max(j + keys + window - 1, offset) - offset); // the query whose window begins behind these keys
      for (let h = h0; h < h0 + heads; h++) {
        for (let t = first; t < after; t += block) {
          const row = ((b * T + t) * H + h) * D << 2;
          queriesByKeys(
            q + row, y + row, dy + row, dq + row, l + ((b * H + h) * T + t << 2), min(block, after - t), qStride, D, wide, ld, scale,
            offset + t, window, softcap, j, keys, block, keyRows, dkRows, dvRows, keyColumns, valueColumns, rest,
          );
        }
      }
      copyRows(dk + out + j * outStride, outStride, dkRows, ld, keys, D, D, keys, 1);
      copyRows(dv + out + j * outStride, outStride, dvRows, ld, keys, D, D, keys, 1);
    }
  }
}

/** n queries, the first at position `at`, against the keys j … j + keys − 1. */
function queriesByKeys(
  q: usize, y: usize, dy: usize, dq: usize, l: usize, n: usize, qStride: usize, D: usize, wide: usize, ld: usize, scale: f32,
  at: usize, window: usize, softcap: f32, j: usize, keys: usize, block: usize, keyRows: usize, dkRows: usize, dvRows: usize, keyColumns: usize, valueColumns: usize, scratch: usize,
): void {
  const rows = (n + 3) & ~3, lp = block << 2;
  const queries = scratch, dyRows = queries + block * ld, dqRows = dyRows + block * ld;
  const p = dqRows + block * ld, ds = p + block * lp, deltas = ds + block * lp;
  copyRows(queries, ld, q, qStride, n, D, wide, rows, scale);
  copyRows(dyRows, ld, dy, qStride, n, D, wide, rows, 1);
  for (let t: usize = 0; t < n; t++) store<f32>(deltas + (t << 2), <f32>dot(dy + t * qStride, y + t * qStride, D));
  products(queries, keyColumns, p, rows, at, window, j, keys, wide, ld, lp);
  products(dyRows, valueColumns, ds, rows, at, window, j, keys, wide, ld, lp);
  for (let t: usize = 0; t < rows; t++) {
    const from = tilesHidden(at + (t & ~3), j, window), width = columnsOf(visible(at + (t | 3), j, keys)) - from;
    const seen = t < n ? visible(at + t, j + from, keys - from) : 0, row = t * lp + (from << 2);
    scoreGradients(p + row, ds + row, min(hidden(at + t, j + from, window), seen), seen, width, softcap, l + (t << 2), deltas + (t << 2));
  }
  for (let d: usize = 0; d < wide << 2; d += 32) {
    for (let c: usize = 0; c < keys; c += 4) {
      const t = j + c > at ? j + c - at : 0; // the first query that sees key j + c
      if (t >= n) break;
      const m = min(rows, max(j + c + 3 + window, at + t) - at) - t; // as many see one of its four
      tileTransposedAdd(p + t * lp + (c << 2), lp, dyRows + t * ld + d, ld, m, dvRows + c * ld + d, ld);
    }
    for (let c: usize = 0; c < keys; c += 4) {
      const t = j + c > at ? j + c - at : 0;
      if (t >= n) break;
      const m = min(rows, max(j + c + 3 + window, at + t) - at) - t;
      tileTransposedAdd(ds + t * lp + (c << 2), lp, queries + t * ld + d, ld, m, dkRows + c * ld + d, ld);
    }
    for (let t: usize = 0; t < rows; t += 4) {
      const from = tilesHidden(at + t, j, window), steps = visible(at + t + 3, j, keys) - from;
      tileSet(ds + t * lp + (from << 2), lp, keyRows + from * ld + d, ld, steps, dqRows + t * ld + d, ld);
    }
  }
  for (let t: usize = 0; t < n; t++) addRow(dq + t * qStride, dqRows + t * ld, D);
}

/** a·bᵀ, only where a query sees a key, in whole tiles. */
function products(
  a: usize, columns: usize, to: usize, rows: usize, at: usize, window: usize, j: usize, keys: usize, wide: usize, ld: usize, lp: usize,
): void {
  for (let c: usize = 0; c < keys; c += 8) {
    for (let t: usize = 0; t < rows; t += 4)
      if (visible(at + t + 3, j, keys) > c && tilesHidden(at + t, j, window) <= c)
        tileSet(a + t * ld, ld, columns + c * wide * 4, 32, wide, to + t * lp + (c << 2), lp);
  }
}

/** Scores to p = e^(z − L), dp to ds = p·(dp − δ)·dz/ds; zeros before `first`, and from `seen` to `width`. */
@inline
function scoreGradients(p: usize, ds: usize, first: usize, seen: usize, width: usize, softcap: f32, l: usize, delta: usize): void {
  const shift = v128.load32_splat(l), d = v128.load32_splat(delta);
  if (softcap) cappedGradients(p, ds, seen, softcap, shift, d);
  else {
    for (let i = (first & ~3) << 2; i < seen << 2; i += 16) {
      const e = expNegative4(f32x4.sub(v128.load(p + i), shift));
      v128.store(p + i, e);
      v128.store(ds + i, f32x4.mul(e, f32x4.sub(v128.load(ds + i), d)));
    }
  }
  zeros(p, ds, 0, first);
  zeros(p, ds, seen, width);
}

// z = cap·tanh(s / cap)     dz/ds = 1 − tanh²
function cappedGradients(p: usize, ds: usize, seen: usize, cap: f32, shift: v128, delta: v128): void {
  const factor = f32x4.splat(cap), inverse = f32x4.splat(1 / cap);
  for (const end = p + (seen << 2); p < end; p += 16, ds += 16) {
    const h = tanh4(f32x4.mul(v128.load(p), inverse));
    const e = expNegative4(f32x4.sub(f32x4.mul(factor, h), shift));
    v128.store(p, e);
    v128.store(ds, f32x4.mul(f32x4.mul(e, f32x4.sub(v128.load(ds), delta)), slope4(h)));
  }
}

@inline
function zeros(p: usize, ds: usize, first: usize, end: usize): void {
  for (let i = first << 2; i < end << 2; i += 4) {
    store<f32>(p + i, 0);
    store<f32>(ds + i, 0);
  }
}

@inline
function addRow(to: usize, from: usize, n: usize): void {
  const vectors = (n & ~3) << 2, bytes = n << 2;
  let i: usize = 0;
  for (; i < vectors; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
}

function zeroRows(p: usize, stride: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, p += stride) memory.fill(p, 0, n << 2);
}

/** to[row] = from[row·heads] + … + from[row·heads + heads − 1], in order: rows of D numbers, [B·S·G] of them; tasks are rows. */
export function attentionAddHeads(to: usize, from: usize, heads: usize, D: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const y = to + (row * D << 2);
    let x = from + (row * heads * D << 2);
    memory.copy(y, x, D << 2);
    for (let h: usize = 1; h < heads; h++) addRow(y, (x += D << 2), D);
  }
}
