// How kernels walk inputs that broadcast to an output: as rows of n elements, contiguous in the output, with each input standing still or moving along.
// Axes that all inputs run through alike are joined first, so the usual cases (same shapes, a row, a number) are one or two axes.
import { type Shape, sizeOf, stridesOf } from "@qlora-js/core";

/** Elements of one task of an elementwise kernel: some 10 µs of work. */
export const CHUNK = 16384;

export interface BroadcastPlan {
  /** Elements in all. */
  readonly total: number;
  /** Elements of a row; the last row may be short. */
  readonly n: number;
  readonly rows: number;
  /** Rows that fill a task. */
  readonly grain: number;
  /** Row r is row r mod rows1 of group ⌊r / rows1⌋. */
  readonly rows1: number;
  /** An input each: how far it moves from element to element (0 or 1), from row to row, and from group to group, in elements. */
  readonly steps: readonly number[];
  readonly strides1: readonly number[];
  readonly strides0: readonly number[];
}

interface Axis {
  size: number;
  /** An input each, 0 where it is repeated. */
  strides: number[];
}

/** One plan, or one for each index of the axes that do not fit in it, with the offsets of the output and of each input there. */
export function broadcastPlans(
  output: Shape,
  inputs: readonly Shape[],
): { readonly plan: BroadcastPlan; readonly outputOffset: number; readonly offsets: readonly number[] }[] {
  if (sizeOf(output) === 0) return [];
  const axes = joinAxes(output, inputs);
  const plan = planOf(axes.slice(-3), inputs.length);
  let places = [inputs.map(() => 0)];
  for (const { size, strides } of axes.slice(0, -3))
    places = places.flatMap((at) => Array.from({ length: size }, (_, i) => at.map((offset, k) => offset + i * strides[k]!)));
  return places.map((offsets, i) => ({ plan, outputOffset: i * plan.total, offsets }));
}

/** The axes of the output, outer first, without those of size 1, neighbours joined where every input goes through both in one stride. */
function joinAxes(output: Shape, inputs: readonly Shape[]): Axis[] {
  const all = inputs.map((shape) => {
    const strides = stridesOf(shape);
    const lead = output.length - shape.length;
    return output.map((_, d) => (d < lead || shape[d - lead] === 1 ? 0 : strides[d - lead]!));
  });
  const axes: Axis[] = [];
  output.forEach((size, d) => {
    if (size === 1) return;
    const strides = all.map((s) => s[d]!);
    const outer = axes.at(-1);
    if (outer && strides.every((s, k) => outer.strides[k] === s * size)) {
      outer.size *= size;
      outer.strides = strides;
    } else axes.push({ size, strides });
  });
  return axes;
}

function planOf(axes: readonly Axis[], count: number): BroadcastPlan {
  const still = Array.from({ length: count }, () => 0);
  const total = axes.reduce((product, { size }) => product * size, 1);
  const [inner = { size: 1, strides: still }, middle, outer] = axes.toReversed();
  if (!middle) {
    const strides1 = inner.strides.map((s) => s * CHUNK);
    const rows = Math.ceil(total / CHUNK);
    return { total, n: CHUNK, rows, grain: 1, rows1: rows, steps: inner.strides, strides1, strides0: still };
  }
  return {
    total,
    n: inner.size,
    rows: total / inner.size,
    grain: Math.max(1, Math.floor(CHUNK / inner.size)),
    rows1: middle.size,
    steps: inner.strides,
    strides1: middle.strides,
    strides0: outer?.strides ?? still,
  };
}
