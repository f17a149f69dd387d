// A part of one axis, and zeros around one axis.
import type { KernelTable } from "@qlora-js/core";
import { whole } from "../engine.ts";
import { aroundAxis, type Gpu } from "../gpu.ts";
import { type Matrix, program, type Thread } from "../program.ts";

// y[o, i] = x[o, start + i]
const part = program(function (this: Thread, x: Matrix, start: number) {
  return x[this.thread.z]![start + this.thread.x]!;
});

// y[o, before + i] = x[o, i], zero elsewhere
const padded = program(function (this: Thread, x: Matrix, before: number, size: number) {
  const i = this.thread.x - before;
  if (i < 0 || i >= size) return 0.0;
  return x[this.thread.z]![i]!;
});

export const sliceKernels = {
  slice: (gpu, [x], [y], { axis, start, size }) => {
    const { outer, size: all, inner } = aroundAxis(x!.shape, axis);
    gpu.fill(y!, part, [size * inner, outer], [gpu.values(x!, [all * inner, outer]), whole(start * inner)]);
  },
  pad: (gpu, [x], [y], { axis, before, after }) => {
    const { outer, size, inner } = aroundAxis(x!.shape, axis);
    const columns = size * inner;
    gpu.fill(
      y!,
      padded,
      [(before + size + after) * inner, outer],
      [gpu.values(x!, [columns, outer]), whole(before * inner), whole(columns)],
    );
  },
} satisfies Partial<KernelTable<Gpu>>;
