// Sums and maxima over any axes, their counterpart, repetition, and argmax. Each element of the result is reduced in one order that depends on the shapes
// alone: in segments, side by side, and then the segments, so that sums of many stay close and come out as the same bits.
import { type KernelTable, type Shape, sizeOf, stridesOf, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";
import { type BroadcastPlan, broadcastIndex, planBroadcast } from "./broadcast-plan.ts";
import { foldsOn, IN_MEMORY, WIDTH } from "./workgroup-fold.ts";

interface Fold {
  readonly name: string;
  /** What nothing reduces to. */
  readonly start: number;
  /** `fn all(local, value)` over a workgroup and `fn all_of_two(a, b)`. */
  readonly all: "total" | "largest";
}
const SUM: Fold = { name: "sumTo", start: 0, all: "total" };
const MAX: Fold = { name: "maxTo", start: Number.NEGATIVE_INFINITY, all: "largest" };

/** Axes of x: those that are kept, and those that are reduced, with the step of each in x. */
interface Axes {
  readonly kept: BroadcastPlan;
  readonly reduced: BroadcastPlan;
  /** Neighbours in x are reduced together. */
  readonly rows: boolean;
}

function axesOf(x: Shape, y: Shape): Axes {
  const { sizes, steps } = planBroadcast(x, [y]);
  const strides = stridesOf(sizes);
  const select = (kept: boolean): BroadcastPlan => {
    const chosen = sizes.map((_, d) => d).filter((d) => steps[0]![d]! > 0 === kept);
    return { sizes: chosen.map((d) => sizes[d]!), steps: [chosen.map((d) => strides[d]!)] };
  };
  return { kept: select(true), reduced: select(false), rows: steps[0]!.at(-1) === 0 };
}

const ROW_SEGMENT = 4096;
const COLUMN_SEGMENT = 256; // by one thread

/** y[o] = the fold of x over what o stands for */
function reduce(gpu: Gpu, fold: Fold, x: View, y: View, axes: Axes): void {
  const outputs = sizeOf(axes.kept.sizes);
  const n = sizeOf(axes.reduced.sizes);
  const wide = axes.rows && n >= WIDTH / 2;
  const segment = wide ? ROW_SEGMENT : COLUMN_SEGMENT;
  const segments = Math.max(1, Math.ceil(n / segment));
  const shape = wide ? [outputs, segments] : [segments, outputs];
  const partial = segments === 1 ? y : gpu.temporary("f32", shape);
  reduceSegments(gpu, fold, x, partial, axes, { outputs, n, segment, segments, wide });
  if (segments > 1) reduce(gpu, fold, partial, y, axesOf(shape, wide ? [outputs, 1] : [1, outputs]));
}

interface Segments {
  readonly outputs: number;
  readonly n: number;
  readonly segment: number;
  readonly segments: number;
  readonly wide: boolean;
}

const byWorkgroup = (all: string): string => `fn block(group: u32, local: u32) {
  let first = output_index(group / params.segments);
  let begin = (group % params.segments) * params.segment;
  var own = params.start;
  for (var j = begin + local; j < min(begin + params.segment, params.n); j += ${WIDTH}u) { own = ${all}_of_two(own, x_at(first + element_index(j))); }
  let result = ${all}(local, own);
  if (local == 0u) { y[group] = result; }
}`;
const byThread = (all: string): string => `fn thread(i: u32) {
  let first = output_index(i % params.outputs);
  let begin = (i / params.outputs) * params.segment;
  var own = params.start;
  for (var j = begin; j < min(begin + params.segment, params.n); j++) { own = ${all}_of_two(own, x_at(first + element_index(j))); }
  y[i] = own;
}`;

/** y[o, s] (wide: a workgroup each) or y[s, o] (a thread each) = the fold of elements [s·segment, (s + 1)·segment) of those that o stands for */
function reduceSegments(
  gpu: Gpu,
  fold: Fold,
  x: View,
  y: View,
  { kept, reduced }: Axes,
  { outputs, n, segment, segments, wide }: Segments,
) {
  const from = broadcastIndex(["output"], kept, "kept");
  const to = broadcastIndex(["element"], reduced, "reduced");
  const indexing = `${from.wgsl}\n${to.wgsl}`;
  const folds = wide ? foldsOn(gpu) : IN_MEMORY;
  gpu.dispatch({
    name: fold.name,
    ...folds.how,
    constants: { indexing, ...folds.constants },
    reads: { x },
    writes: { y },
    params: {
      ...from.params,
      ...to.params,
      n,
      segment,
      [wide ? "segments" : "outputs"]: wide ? segments : outputs,
      start: float(fold.start),
    },
    grid: wide ? { workgroups: outputs * segments, size: WIDTH } : { threads: outputs * segments },
    wgsl: () => `${folds[fold.all]}
${indexing}
${wide ? byWorkgroup(fold.all) : byThread(fold.all)}`,
  });
}

const ARGMAX = `var<workgroup> keys: array<u32, ${WIDTH}>;
var<workgroup> places: array<u32, ${WIDTH}>;
fn key(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return 0xffffffffu; }
  return select(0x80000000u + size, 0x80000000u - size, bits != size);
}
fn block(group: u32, local: u32) {
  var best = 0u;
  var place = local;
  for (var i = local; i < params.n; i += ${WIDTH}u) {
    let k = key(x_at(group * params.n + i));
    if (k > best) { best = k; place = i; }
  }
  keys[local] = best;
  places[local] = place;
  for (var k = ${WIDTH / 2}u; k > 0u; k = k >> 1u) {
    workgroupBarrier();
    if (local < k) {
      let other = keys[local + k];
      if (other > keys[local] || (other == keys[local] && places[local + k] < places[local])) {
        keys[local] = other;
        places[local] = places[local + k];
      }
    }
  }
  if (local == 0u) { y[group] = i32(places[0]); }
}`;

/** y = x summed down to y's shape */
export const sumTo = (gpu: Gpu, x: View, y: View): void => reduce(gpu, SUM, x, y, axesOf(x.shape, y.shape));

export const reduceKernels = {
  sumTo: (gpu, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    sumTo(gpu, x, y);
  },
  maxTo: (gpu, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    reduce(gpu, MAX, x, y, axesOf(x.shape, y.shape));
  },
  // y[i] = x[…]
  broadcastTo: (gpu, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const { wgsl, params } = broadcastIndex(["x"], planBroadcast(y.shape, [x.shape]));
    gpu.dispatch({
      name: "broadcastTo",
      constants: { indexing: wgsl },
      reads: { x },
      writes: { y },
      params,
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `${wgsl}
fn thread(i: u32) { y[i] = x_at(x_index(i)); }`,
    });
  },
  // y[r] = the first i whose x[r, i] is largest: x [rows, n], ordered as whole numbers, −0 as 0 and NaN above all
  argmax: (gpu, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    gpu.dispatch({
      name: "argmax",
      reads: { x },
      writes: { y },
      params: { n: x.shape.at(-1)! },
      grid: { workgroups: sizeOf(y.shape), size: WIDTH },
      wgsl: () => ARGMAX,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
