// Picking rows by id, and adding into rows by id, said as a gather: each element looks for the rows that are meant for it.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import { whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";

// y[j, …] = x[ids[j], …]
const selected = program(function (this: Thread, x: Matrix, ids: List) {
  return x[ids[this.thread.z]!]![this.thread.x]!;
});

// y[row, …] = Σ_j x[j, …] where ids[j] = row, in the order of j
const added = program(function (this: Thread, x: Matrix, ids: List, count: number) {
  let sum = 0.0;
  for (let j = 0; j < count; j++) {
    if (ids[j] === this.thread.z) sum += x[j]![this.thread.x]!;
  }
  return sum;
});

export const indexSelectKernels = {
  indexSelect: (gpu, [x, ids], [y]) => {
    const width = sizeOf(x!.shape.slice(1));
    gpu.fill(y!, selected, [width, sizeOf(ids!.shape)], [gpu.values(x!, [width, x!.shape[0]!]), gpu.values(ids!)]);
  },
  indexAdd: (gpu, [x, ids], [y]) => {
    const width = sizeOf(y!.shape.slice(1));
    const count = sizeOf(ids!.shape);
    gpu.fill(y!, added, [width, y!.shape[0]!], [gpu.values(x!, [width, count]), gpu.values(ids!), whole(count)]);
  },
} satisfies Partial<KernelTable<Gpu>>;
