// Head and loss in one. The vocabulary goes by in chunks: their logits are made, turned into e^(z − m) under a running maximum m, and multiplied with the same
// rows of the head; no more of the logits ever exists. The target stands apart from the sums, so that what a sure model leaves is not lost beside 1.
import { BYTES, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";
import { PART_ROWS, partOf } from "../part.ts";
import { headGradientsInTiles, headLogitsInTiles } from "./head-in-tiles.ts";
import { type Chunk, type Head, headGradients, headLogits } from "./head-products.ts";
import { MATH } from "./math.ts";
import { foldsOn, WIDTH } from "./workgroup-fold.ts";

/** Bytes of a chunk's logits, and of the sums of its parts, where that leaves enough of both. */
const ROOM = 8 * 2 ** 20;
/** Entries of the vocabulary: at least so many a chunk, and those whose products are summed one after another. */
const LEAST = 1024;
const SPAN = 1024;

/** The two products of the head: through workgroup memory on GPUs, where there are rows enough for it. */
const IN_TILES = { logits: headLogitsInTiles, gradients: headGradientsInTiles };
const IN_REGISTERS = { logits: headLogits, gradients: headGradients };
const ROWS_OF_TILES = 16;

type Matrix = View & { readonly shape: readonly [number, number] };

/** Chunks of about the same size, each but the last a multiple of PART_ROWS; one binding shows the logits of one, and one its rows of the head. */
function chunksOf(rows: number, { dtype, shape: [vocabulary, n] }: Matrix, maxBindingBytes: number): Chunk[] {
  const wanted = Math.max(LEAST, ROOM / 4 / rows);
  const fitting = Math.max(1, Math.floor(Math.min(wanted, maxBindingBytes / 4 / rows, maxBindingBytes / BYTES[dtype] / n) / PART_ROWS));
  const most = PART_ROWS * Math.ceil(vocabulary / Math.ceil(vocabulary / fitting / PART_ROWS) / PART_ROWS);
  const chunks = Math.ceil(vocabulary / most);
  return Array.from({ length: chunks }, (_, i) => ({ first: i * most, count: Math.min(most, vocabulary - i * most) }));
}

/**
 * What a row's chunks so far come to, [rows, 4]: m, Σ e^(z − m) but for the target, z[target], and e^(m before − m). At the end, in place of m and z[target],
 * dz/ds of the target and its e^(z − m).
 */
interface Rows {
  readonly targets: View;
  readonly state: View;
  /** The head's rows of the targets, f32 [rows, n]. */
  readonly aside: View;
  readonly loss: View;
  readonly head: Head;
}

interface Step extends Chunk {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

// m' = max(m, z)     e[v] = e^(z[v] − m')·dz/ds, of the target 0     others' = others·e^(m − m') + Σ e^(z − m')     loss = ln(1 + others / e^(z[target] − m))
// One row a workgroup.
function exponentials(gpu: Gpu, { targets, state, loss, head }: Rows, { first, count, isFirst, isLast }: Step): void {
  const folds = foldsOn(gpu);
  gpu.dispatch({
    name: "linearCrossEntropy: exponentials",
    ...folds.how,
    reads: { targets },
    writes: { e: head.e, state, loss },
    as: { state: "vec4<f32>" },
    constants: { is_capped: head.softcap !== null, ...folds.constants },
    params: {
      first,
      entries: count,
      stride: head.e.shape[1]!,
      softcap: float(head.softcap ?? 1),
      is_first: Number(isFirst),
      is_last: Number(isLast),
    },
    grid: { workgroups: sizeOf(targets.shape), size: WIDTH },
    wgsl: () => `${MATH.exp}
${MATH.log}
${folds.largest}
${folds.total}

// ln(Σ e^(z − m)) − (z[target] − m), for a sum little more than the target's part the series of ln(1 + t)
fn loss_of(others: f32, own: f32, below: f32) -> f32 {
  let t = others / own;
  if (others * 64.0 <= own) { return t * (1.0 - t * (0.5 - t * (0.33333333 - t * 0.25))); }
  return log_(others + own) + below;
}

// dz/ds
fn slope(z: f32) -> f32 {
  if (!is_capped) { return 1.0; }
  let h = z / params.softcap;
  return (1.0 - h) * (1.0 + h);
}

fn block(row: u32, local: u32) {
  let base = row * params.stride;
  let wanted = u32(targets[row]) - params.first; // far beyond the chunk if it is not in it
  var before = vec4f(-3.4028234e38, 0.0, 0.0, 1.0);
  if (params.is_first == 0u) { before = state[row]; }
  var m = before.x;
  for (var v = local; v < params.entries; v += ${WIDTH}u) { m = max(m, e[base + v]); }
  m = largest(local, m);
  var z = before.z;
  if (wanted < params.entries) { z = e[base + wanted]; }
  storageBarrier();
  workgroupBarrier();
  var sum = 0.0;
  for (var v = local; v < (params.entries + 3u) / 4u * 4u; v += ${WIDTH}u) {
    let logit = e[base + v];
    let own = select(exp_(logit - m), 0.0, v == wanted || v >= params.entries);
    e[base + v] = own * slope(logit);
    sum += own;
  }
  sum = total(local, sum);
  if (local > 0u) { return; }
  let factor = exp_(before.x - m);
  let others = before.y * factor + sum;
  if (params.is_last == 0u) { state[row] = vec4f(m, others, z, factor); return; }
  let own = exp_(z - m);
  state[row] = vec4f(slope(z), others, own, factor);
  loss[row] = loss_of(others, own, m - z);
}`,
  });
}

// u' = u·e^(m before − m) + Σ sums of the parts; at the end (u − others·dz/ds·W[target]) / (others + e^(z[target] − m)), where W[target] was put aside by the
// step whose chunk it is in
function joinGradients(
  gpu: Gpu,
  { targets, state, aside, head }: Rows,
  { first, count, isFirst, isLast }: Step,
  sums: View,
  u: View,
): void {
  gpu.dispatch({
    name: "linearCrossEntropy: join",
    reads: { targets, state, sums, w: partOf(head.weight, { first, count }) },
    writes: { aside, u },
    as: { state: "vec4<f32>" },
    params: {
      n: head.x.shape[1]!,
      parts: sums.shape[0]!,
      size: sizeOf(u.shape),
      first,
      entries: count,
      is_first: Number(isFirst),
      is_last: Number(isLast),
    },
    grid: { threads: sizeOf(u.shape) },
    wgsl: () => `fn thread(i: u32) {
  let row = i / params.n;
  let wanted = u32(targets[row]) - params.first; // far beyond the chunk if it is not in it
  if (wanted < params.entries) { aside[i] = w_at(wanted * params.n + i % params.n); }
  let now = state[row];
  var sum = 0.0;
  for (var part = 0u; part < params.parts; part++) { sum += sums[part * params.size + i]; }
  if (params.is_first == 0u) { sum += u[i] * now.w; }
  if (params.is_last == 1u) { sum = (sum - now.y * now.x * aside[i]) / (now.y + now.z); }
  u[i] = sum;
}`,
  });
}

export const linearCrossEntropyKernels = {
  // z = s = x·Wᵀ, or softcap·tanh(s / softcap)     loss = ln Σ_v e^z[v] − z[target]     u = Σ_v softmax(z)[v]·dz/ds·W[v] − dz/ds·W[target]
  linearCrossEntropy: (gpu, inputs, outputs, { withGradient, softcap }) => {
    const [x, weight, targets] = inputs as [View, Matrix, View];
    const [loss, u] = outputs as [View, View];
    const [rows, n] = x.shape as [number, number];
    if (rows === 0) return;
    const chunks = chunksOf(rows, weight, gpu.facts.maxBindingBytes);
    const most = chunks[0]!.count;
    const parts = Math.max(1, Math.min(Math.ceil(most / SPAN), Math.floor(Math.min(ROOM, gpu.facts.maxBindingBytes) / 4 / rows / n)));
    const span = 8 * Math.ceil(most / parts / 8);
    const head: Head = { x, weight, e: gpu.temporary("f32", [rows, 8 * Math.ceil(most / 8)]), softcap };
    const products = !gpu.facts.software && rows >= ROWS_OF_TILES ? IN_TILES : IN_REGISTERS;
    const aside = gpu.temporary("f32", withGradient ? [rows, n] : []);
    const state: Rows = { targets, state: gpu.temporary("f32", [rows, 4]), aside, loss, head };
    for (const [i, chunk] of chunks.entries()) {
      const step: Step = { ...chunk, isFirst: i === 0, isLast: i === chunks.length - 1 };
      products.logits(gpu, head, chunk);
      exponentials(gpu, state, step);
      if (!withGradient) continue;
      const sums = gpu.temporary("f32", [Math.ceil(chunk.count / span), rows, n]);
      products.gradients(gpu, head, chunk, span, sums);
      joinGradients(gpu, state, step, sums, u);
    }
  },
} satisfies Partial<KernelTable<Gpu>>;
