// The one gather that axes, broadcasting and reductions need: elements of x at steps of their own along each axis of the output. Not an op: no table entry.
import { type Shape, sizeOf, stridesOf } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

// y[i₀, i₁, …] = x[i₀·steps[0] + i₁·steps[1] + …], with the thread's number taken apart into i₀, i₁, … along `sizes`, the last axis first.
// Indices are f32 here: exact up to 2²⁴ elements
const strided = program(function (this: Thread, x: List, sizes: List, steps: List, axes: number) {
  let rest = this.thread.x + 0.0;
  let from = 0.0;
  for (let d = axes - 1; d >= 0; d--) {
    const size = sizes[d]!;
    const next = Math.floor((rest + 0.5) / size); // half an element off the edge: a division may be rounded
    from += (rest - next * size) * steps[d]!;
    rest = next;
  }
  return x[from]!;
});

/** Elements of x at these steps along the axes of a shape. */
function gatherStrided(gpu: Gpu, x: Sized, shape: Shape, steps: readonly number[]): Sized {
  const axes = Math.max(shape.length, 1); // one element is a list of one
  const [sizes, by] = [shape, steps].map((list) => Float32Array.from({ length: axes }, (_, d) => list[d] ?? 1)) as [
    Float32Array,
    Float32Array,
  ];
  return gpu.run(strided, [sizeOf(shape)], [gpu.as(x, [x.numbers.length]), sizes, by, whole(axes)]);
}

/** x of a smaller shape, repeated to a larger one that it broadcasts to. */
export function repeated(gpu: Gpu, x: Sized, small: Shape, large: Shape): Sized {
  const lead = large.length - small.length;
  const strides = stridesOf(small);
  const steps = large.map((_, d) => (d < lead || small[d - lead] === 1 ? 0 : strides[d - lead]!));
  return gatherStrided(gpu, x, large, steps);
}

/** x with its axes in another order. */
export function permuted(gpu: Gpu, x: Sized, shape: Shape, axes: readonly number[]): Sized {
  const strides = stridesOf(shape);
  return gatherStrided(
    gpu,
    x,
    axes.map((axis) => shape[axis]!),
    axes.map((axis) => strides[axis]!),
  );
}
