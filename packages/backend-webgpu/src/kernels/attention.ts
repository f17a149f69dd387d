// Causal attention, fused: the matrix of scores is never kept. q, y [B, T, H, D], k, v [B, S, G, D], starts [B], L [B, H, T]. The R = H/G query heads that
// share a key head are taken together: row r < T·R of group g is query ⌊r/R⌋ of head g·R + r mod R, so that a key is read once for all of them.
// Scores are computed a few keys at a time and weighed against the largest so far (Milakov and Gimelshein 2018, "Online normalizer calculation for
// softmax"). Where there are few rows and many keys, as in generation, the keys are divided among threads and their shares put together by a second program.
import type { AttentionAttrs, KernelTable, View } from "@qlora-js/core";
import { type Dispatch, float, type Gpu } from "../dispatch.ts";
import { windowsOf } from "../program-source.ts";
import { attentionInRegisters, type Form, LOWEST, NO_KEYS, PLACES } from "./attention-in-registers.ts";
import { attentionInTiles } from "./attention-in-tiles.ts";
import { MATH } from "./math.ts";

const PART_KEYS = 64; // the fewest keys worth a part of their own
const MOST_PARTS = 32;
const MOST_UNROLLED = 256; // elements of a head in registers; with more, a thread's arrays come near the 8 KiB that WGSL promises

/** Sizes of a call, and what every program of it is given. */
interface Plan extends Form {
  readonly groups: number;
  readonly batch: number;
  /** Rows of a group: T·R. */
  readonly rows: number;
  readonly keys: number;
  /** Rows of all groups. */
  readonly allRows: number;
  /** Threads keep rows in registers; else workgroups share tiles of them. */
  readonly inRegisters: boolean;
  /** The first key that any row may see: those before it lie before every window. */
  readonly first: number;
  readonly constants: NonNullable<Dispatch["constants"]>;
  readonly params: NonNullable<Dispatch["params"]>;
}

function planOf(gpu: Gpu, q: View, k: View, { scale, offset, window, softcap }: AttentionAttrs): Plan {
  const [batch, time, heads, d] = q.shape as [number, number, number, number];
  const [, keys, groups] = k.shape as [number, number, number, number];
  const share = heads / groups;
  const inRegisters = gpu.facts.software && d <= MOST_UNROLLED;
  const seen = Math.min(window ?? keys, keys); // no query sees more
  const first = Math.max(0, offset + 1 - seen);
  const capped = softcap !== null;
  const cap = { softcap: float(softcap ?? 0), per_softcap: float(capped ? 1 / softcap : 0) };
  const whole = [q, k].every((view) => windowsOf(view, gpu.facts.maxBindingBytes) === 1);
  return {
    d,
    groups,
    batch,
    rows: time * share,
    keys,
    allRows: batch * time * heads,
    inRegisters,
    wide: inRegisters && whole && d > 0 && d % 4 === 0,
    capped,
    first,
    constants: { D: d, capped },
    params: {
      time,
      heads,
      keys,
      groups,
      share,
      offset,
      window: seen,
      scale: float(scale),
      ...cap,
      parts: 1,
      all_rows: batch * time * heads,
    },
  };
}

/** How the tables of heads are bound. */
const asParts = ({ wide }: Plan, tables: readonly string[]): Record<string, string> =>
  wide ? Object.fromEntries(tables.map((name) => [name, "vec4<f32>"])) : {};

/** Among how many threads (or workgroups) the keys of one row are divided: enough to give the device something to do, none where rows do that. */
function partsOf({ allRows, inRegisters, d }: Plan, keysSeen: number): number {
  const wanted = Math.ceil((inRegisters ? 64 : 2048) / Math.max(1, allRows));
  return d === 0 ? 1 : Math.max(1, Math.min(wanted, Math.ceil(keysSeen / PART_KEYS), MOST_PARTS));
}

// y = sum/total     L = m + ln total
const FINISH = /* wgsl */ `${MATH.log}
fn finish(part: u32, i: u32, row: u32, d: u32, sum: f32, total: f32) { y[row + d] = select(sum / total, 0.0, total == 0.0); }
fn finish_row(part: u32, i: u32, at: u32, largest: f32, total: f32) { logs[at] = select(bitcast<u32>(largest + log_(total)), ${NO_KEYS}, total == 0.0); }`;

const FINISH_PART = /* wgsl */ `
fn finish(part: u32, i: u32, row: u32, d: u32, sum: f32, total: f32) { sums[(part * params.all_rows + i) * D + d] = sum; }
fn finish_row(part: u32, i: u32, at: u32, largest: f32, total: f32) {
  largests[part * params.all_rows + i] = largest;
  totals[part * params.all_rows + i] = total;
}`;

// m = max_part m[part]     total = Σ_part total[part]·e^(m[part] − m)     y = Σ_part sum[part]·e^(m[part] − m) / total
const JOIN = /* wgsl */ `${PLACES}${MATH.exp}${FINISH}
fn thread(all: u32) {
  let d = all % D;
  let i = all / D;
  let rows = params.time * params.share;
  let b = i / rows / params.groups;
  let g = i / rows % params.groups;
  var largest = ${LOWEST};
  for (var part = 0u; part < params.parts; part++) { largest = max(largest, largests_at(part * params.all_rows + i)); }
  var sum = 0.0;
  var total = 0.0;
  for (var part = 0u; part < params.parts; part++) {
    let at = part * params.all_rows + i;
    let shrink = exp_(largests_at(at) - largest);
    sum += sums_at(at * D + d) * shrink;
    total += totals_at(at) * shrink;
  }
  finish(0u, i, row_start(b, g, i % rows), d, sum, total);
  if (d == 0u) { finish_row(0u, i, row_sum(b, g, i % rows), largest, total); }
}`;

function forward(gpu: Gpu, reads: Record<"q" | "k" | "v" | "starts", View>, y: View, logs: View, attrs: AttentionAttrs): void {
  const plan = planOf(gpu, reads.q, reads.k, attrs);
  const { d, allRows, first, constants } = plan;
  const keysSeen = attrs.offset + reads.q.shape[1]! - first;
  const parts = partsOf(plan, keysSeen);
  const part_keys = Math.ceil(keysSeen / parts / 4) * 4;
  const params = { ...plan.params, first, parts, part_keys };
  const text = plan.inRegisters ? attentionInRegisters.forward : attentionInTiles.forward;
  const grid = plan.inRegisters ? { threads: parts * allRows } : attentionInTiles.gridOfRows(plan, parts);
  const as = asParts(plan, ["q", "k", "v"]);
  if (parts === 1) {
    const program = { name: `attention${plan.inRegisters ? "" : " in tiles"}`, constants, reads, params, grid };
    gpu.dispatch({ ...program, writes: { y, logs }, as: { ...as, logs: "u32" }, wgsl: () => text(FINISH, plan) });
    return;
  }
  const sums = gpu.temporary("f32", [parts, allRows, d]);
  const largests = gpu.temporary("f32", [parts, allRows]);
  const totals = gpu.temporary("f32", [parts, allRows]);
  const program = { name: `attention, a part of the keys${plan.inRegisters ? "" : " in tiles"}`, constants, reads, params, grid };
  gpu.dispatch({ ...program, writes: { sums, largests, totals }, as, wgsl: () => text(FINISH_PART, plan) });
  gpu.dispatch({
    name: "attention, parts joined",
    constants: { D: d },
    reads: { sums, largests, totals },
    writes: { y, logs },
    as: { logs: "u32" },
    params,
    grid: { threads: allRows * d },
    wgsl: () => JOIN,
  });
}

// δ = dy·y, and L beside it, so that later programs need one binding for both
const ROW_SUMS = /* wgsl */ `${PLACES}
fn thread(i: u32) {
  let rows = params.time * params.share;
  let b = i / rows / params.groups;
  let g = i / rows % params.groups;
  let row = row_start(b, g, i % rows);
  var sum = 0.0;
  for (var d = 0u; d < D; d++) { sum += dy_at(row + d) * y_at(row + d); }
  let at = row_sum(b, g, i % rows);
  sums[at] = logs_at(at);
  sums[params.all_rows + at] = sum;
}`;

export const attentionKernels = {
  // z[j] = scale·q·k[j], or softcap·tanh(scale·q·k[j] / softcap)     L = ln Σ_j e^z[j]     y = Σ_j e^(z[j] − L)·v[j]
  attention: (gpu, inputs, outputs, attrs) => {
    const [q, k, v, starts] = inputs as [View, View, View, View];
    const [y, logs] = outputs as [View, View];
    forward(gpu, { q, k, v, starts }, y, logs, attrs);
  },
  // δ = dy·y     p = e^(z[j] − L)     ds = p·(dy·v[j] − δ)·dz/ds     dq = scale·Σ_j ds·k[j]     dk[j] += scale·ds·q     dv[j] += p·dy
  attentionBackward: (gpu, inputs, outputs, attrs) => {
    const [q, k, v, starts, y, logs, dy] = inputs as [View, View, View, View, View, View, View];
    const [dq, dk, dv] = outputs as [View, View, View];
    const plan = planOf(gpu, q, k, attrs);
    const { constants, params, inRegisters, allRows } = plan;
    const sums = gpu.temporary("f32", [2, allRows]);
    gpu.dispatch({
      name: "attentionBackward, rows",
      constants: { D: plan.d },
      reads: { y, dy, logs },
      writes: { sums },
      params,
      grid: { threads: allRows },
      wgsl: () => ROW_SUMS,
    });
    const reads = { q, k, v, starts, sums, dy };
    const as = asParts(plan, ["q", "k", "v", "dy"]);
    const { gradientOfQueries, gradientsOfKeys } = inRegisters ? attentionInRegisters : attentionInTiles;
    const where = inRegisters ? "" : " in tiles";
    gpu.dispatch({
      name: `attentionBackward, queries${where}`,
      constants,
      reads,
      as,
      writes: { dq },
      params,
      grid: inRegisters ? { threads: allRows } : attentionInTiles.gridOfRows(plan, 1),
      wgsl: () => gradientOfQueries(plan),
    });
    gpu.dispatch({
      name: `attentionBackward, keys${where}`,
      constants,
      reads,
      as,
      writes: { dk, dv },
      params,
      grid: inRegisters ? { threads: plan.batch * plan.groups * plan.keys } : attentionInTiles.gridOfKeys(plan),
      wgsl: () => gradientsOfKeys(plan),
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
