// Tensors one after the other along an axis, two at a time.
import type { KernelTable } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import { aroundAxis, type Gpu } from "../gpu.ts";
import { type Matrix, program, type Thread } from "../program.ts";

// y[o, i] = a[o, i], and beyond its columns b[o, i − columns]
const joined = program(function (this: Thread, a: Matrix, b: Matrix, columns: number) {
  const i = this.thread.x;
  if (i < columns) return a[this.thread.z]![i]!;
  return b[this.thread.z]![i - columns]!;
});

const copy = program(function (this: Thread, x: Matrix) {
  return x[this.thread.z]![this.thread.x]!;
});

/** Numbers one after the other, as a list; what there is one of stays as it is. */
export const endToEnd = (gpu: Gpu, parts: readonly Sized[]): Sized =>
  parts.reduce((a, b) => {
    const [from, more] = [a.numbers.length, b.numbers.length];
    return gpu.run(joined, [from + more, 1], [gpu.as(a, [from, 1]), gpu.as(b, [more, 1]), whole(from)]);
  });

export const concatKernels = {
  concat: (gpu, inputs, [y], { axis }) => {
    const { outer } = aroundAxis(y!.shape, axis);
    const matrices = inputs.map((x) => {
      const { size, inner } = aroundAxis(x.shape, axis);
      return gpu.values(x, [size * inner, outer]);
    });
    const join = (a: Sized, b: Sized): Sized => gpu.run(joined, [a.size[0] + b.size[0], outer], [a, b, whole(a.size[0])]);
    const all = matrices.reduce(join);
    if (inputs.length > 1) gpu.give(y!, all);
    else gpu.fill(y!, copy, [all.size[0], outer], [all]); // a buffer of its own
  },
} satisfies Partial<KernelTable<Gpu>>;
