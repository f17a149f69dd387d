// One element a row, and a row of zeros with one element, which is a gather too: each element asks whether it is the one.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import { type Gpu, rowsOf } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";

// y[r] = x[r, index[r]]
const picked = program(function (this: Thread, x: Matrix, index: List) {
  return x[this.thread.x]![index[this.thread.x]!]!;
});

// y[r, i] = x[r] where i = index[r], zero elsewhere
const scattered = program(function (this: Thread, x: List, index: List) {
  if (index[this.thread.z] === this.thread.x) return x[this.thread.z]!;
  return 0.0;
});

export const gatherKernels = {
  gather: (gpu, [x, index], [y]) => {
    const { rows, n } = rowsOf(x!.shape);
    gpu.fill(y!, picked, [rows], [gpu.values(x!, [n, rows]), gpu.values(index!)]);
  },
  scatter: (gpu, [x, index], [y], { size }) => gpu.fill(y!, scattered, [size, sizeOf(x!.shape)], [gpu.values(x!), gpu.values(index!)]),
} satisfies Partial<KernelTable<Gpu>>;
