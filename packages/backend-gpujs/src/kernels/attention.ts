// Causal attention, in matrices whose row r is one query of one head, (b·H + h)·T + t, and whose column j is a key. Keys and values are cubes, a matrix for each
// (b·G + g). q, y [B, T, H, D], k, v [B, S, G, D], starts [B], L [B, H, T]; query head h reads key head ⌊h·G/H⌋.
import type { AttentionAttrs, KernelTable, View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type Cube, type List, type Matrix, program, type Thread } from "../program.ts";
import { permuted } from "./strided.ts";

// s = scale·q·k[j]. A key that the query does not see has −1e38, and e to that is 0
const scores = program(function (
  this: Thread,
  q: Matrix,
  k: Cube,
  starts: List,
  time: number,
  heads: number,
  groups: number,
  d: number,
  offset: number,
  window: number,
  scale: number,
) {
  const j = this.thread.x;
  const head = Math.floor((this.thread.z + 0.5) / time);
  const position = offset + this.thread.z - head * time;
  if (j > position || j < starts[Math.floor((head + 0.5) / heads)]! || j < position + 1 - window) return -1e38;
  const group = Math.floor((head * groups + 0.5) / heads);
  let s = 0.0;
  for (let i = 0; i < d; i++) s += q[this.thread.z]![i]! * k[group]![j]![i]!;
  return scale * s;
});

// z = cap·tanh(s / cap)
const capped = program(function (this: Thread, scores: Matrix, cap: number) {
  const s = scores[this.thread.z]![this.thread.x]!;
  if (s < -1e37) return s;
  return cap * (1 - 2 / (Math.exp((2 * s) / cap) + 1));
});

// L = ln Σ_j e^z[j], −∞ where no key is seen
const logSum = program(function (this: Thread, z: Matrix, keys: number) {
  let largest = -1e38;
  for (let j = 0; j < keys; j++) largest = Math.max(largest, z[this.thread.x]![j]!);
  let sum = 0.0;
  for (let i = 0; i < keys; i++) {
    if (z[this.thread.x]![i]! > -1e37) sum += Math.exp(z[this.thread.x]![i]! - largest);
  }
  return largest + Math.log(sum);
});

// p = e^(z − L)
const shares = program(function (this: Thread, z: Matrix, logSums: List) {
  const score = z[this.thread.z]![this.thread.x]!;
  if (score < -1e37) return 0.0;
  return Math.exp(score - logSums[this.thread.z]!);
});

// y[r] = Σ_j p[r, j]·v[j], of the row's group of queryRows
const overKeys = program(function (this: Thread, p: Matrix, v: Cube, keys: number, queryRows: number) {
  const group = Math.floor((this.thread.z + 0.5) / queryRows);
  let sum = 0.0;
  for (let j = 0; j < keys; j++) {
    const share = p[this.thread.z]![j]!;
    if (share !== 0) sum += share * v[group]![j]![this.thread.x]!; // not 0·NaN of a key that is not seen
  }
  return sum;
});

// dv[j] = Σ_r p[r, j]·dy[r], over the group's queryRows
const overQueries = program(function (this: Thread, p: Matrix, dy: Matrix, keys: number, queryRows: number) {
  const group = Math.floor((this.thread.z + 0.5) / keys);
  const j = this.thread.z - group * keys;
  let sum = 0.0;
  for (let r = group * queryRows; r < (group + 1) * queryRows; r++) {
    const share = p[r]![j]!;
    if (share !== 0) sum += share * dy[r]![this.thread.x]!;
  }
  return sum;
});

// δ = dy·y
const rowDot = program(function (this: Thread, dy: Matrix, y: Matrix, d: number) {
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += dy[this.thread.x]![i]! * y[this.thread.x]![i]!;
  return sum;
});

// dz = p·(dy·v[j] − δ)·factor
const scoreGradient = program(function (
  this: Thread,
  p: Matrix,
  v: Cube,
  dy: Matrix,
  delta: List,
  queryRows: number,
  d: number,
  factor: number,
) {
  const row = this.thread.z;
  if (p[row]![this.thread.x] === 0) return 0.0;
  const group = Math.floor((row + 0.5) / queryRows);
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += dy[row]![i]! * v[group]![this.thread.x]![i]!;
  return factor * p[row]![this.thread.x]! * (sum - delta[row]!);
});

// ds = dz·(1 − (z / cap)²)
const cappedGradient = program(function (this: Thread, slopes: Matrix, z: Matrix, cap: number) {
  const slope = slopes[this.thread.z]![this.thread.x]!;
  if (slope === 0) return 0.0; // nor of a key that is not seen
  const share = z[this.thread.z]![this.thread.x]! / cap;
  return slope * (1 - share * share);
});

interface Sizes {
  readonly rows: number;
  readonly keys: number;
  readonly d: number;
  /** Rows that read the same keys: all queries of the heads of one group. */
  readonly queryRows: number;
}

function sizesOf({ shape: [batch, time, heads, d] }: View, { shape: [, keys, groups] }: View): Sizes {
  return { rows: batch! * heads! * time!, keys: keys!, d: d!, queryRows: (heads! / groups!) * time! };
}

/** [B, T, H, D] to [B, H, T, D]: a head's positions are rows one after the other. Its own inverse. */
const headMajor = (gpu: Gpu, x: Sized, [batch, time, heads, d]: readonly number[]): Sized =>
  permuted(gpu, x, [batch!, time!, heads!, d!], [0, 2, 1, 3]);
const byRow = (gpu: Gpu, { shape }: View, x: Sized): Sized =>
  gpu.as(headMajor(gpu, x, shape), [shape[3]!, shape[0]! * shape[1]! * shape[2]!]);
const byGroup = (gpu: Gpu, { shape }: View, x: Sized): Sized =>
  gpu.as(headMajor(gpu, x, shape), [shape[3]!, shape[1]!, shape[0]! * shape[2]!]);
/** Back to [B, T, H, D]. */
const positionMajor = (gpu: Gpu, x: Sized, [batch, time, heads, d]: readonly number[]): Sized =>
  headMajor(gpu, x, [batch!, heads!, time!, d!]);

/** Scores of every query with every key, with their cap where there is one. */
function scoreMatrix(gpu: Gpu, q: View, k: View, starts: View, attrs: AttentionAttrs): Sized {
  const { rows, keys, d } = sizesOf(q, k);
  const [, time, heads] = q.shape as [number, number, number, number];
  const matrices = [byRow(gpu, q, gpu.values(q)), byGroup(gpu, k, gpu.values(k)), gpu.values(starts)];
  const window = attrs.window ?? keys + attrs.offset + time; // so wide that it hides nothing
  const counts = [time, heads, k.shape[2]!, d, attrs.offset, window].map(whole);
  const s = gpu.run(scores, [keys, rows], [...matrices, ...counts, attrs.scale]);
  return attrs.softcap ? gpu.run(capped, [keys, rows], [s, attrs.softcap]) : s;
}

export const attentionKernels = {
  attention: (gpu, [q, k, v, starts], [y, logSums], attrs) => {
    const { rows, keys, d, queryRows } = sizesOf(q!, k!);
    const z = scoreMatrix(gpu, q!, k!, starts!, attrs);
    const sums = gpu.run(logSum, [rows], [z, whole(keys)]);
    const p = gpu.run(shares, [keys, rows], [z, sums]);
    const mixed = gpu.run(overKeys, [d, rows], [p, byGroup(gpu, v!, gpu.values(v!)), whole(keys), whole(queryRows)]);
    gpu.give(y!, positionMajor(gpu, mixed, y!.shape));
    gpu.give(logSums!, sums);
  },
  // dq = Σ_j ds·k[j]     dk[j] = Σ_r ds·q[r]     dv[j] = Σ_r p·dy[r]
  attentionBackward: (gpu, [q, k, v, starts, y, logSums, dy], [dq, dk, dv], attrs) => {
    const { rows, keys, d, queryRows } = sizesOf(q!, k!);
    const groups = k!.shape[0]! * k!.shape[2]!;
    const z = scoreMatrix(gpu, q!, k!, starts!, attrs);
    const p = gpu.run(shares, [keys, rows], [z, gpu.values(logSums!)]);
    const [grad, values] = [byRow(gpu, q!, gpu.values(dy!)), byGroup(gpu, v!, gpu.values(v!))];
    const delta = gpu.run(rowDot, [rows], [grad, byRow(gpu, q!, gpu.values(y!)), whole(d)]);
    const slopes = gpu.run(scoreGradient, [keys, rows], [p, values, grad, delta, whole(queryRows), whole(d), attrs.scale]);
    const ds = attrs.softcap ? gpu.run(cappedGradient, [keys, rows], [slopes, z, attrs.softcap]) : slopes;
    const counts = [whole(keys), whole(queryRows)];
    const ofQueries = gpu.run(overKeys, [d, rows], [ds, byGroup(gpu, k!, gpu.values(k!)), ...counts]);
    const ofKeys = gpu.run(overQueries, [d, keys * groups], [ds, byRow(gpu, q!, gpu.values(q!)), ...counts]);
    const ofValues = gpu.run(overQueries, [d, keys * groups], [p, grad, ...counts]);
    gpu.give(dq!, positionMajor(gpu, ofQueries, q!.shape));
    gpu.give(dk!, positionMajor(gpu, ofKeys, k!.shape));
    gpu.give(dv!, positionMajor(gpu, ofValues, k!.shape));
  },
} satisfies Partial<KernelTable<Gpu>>;
