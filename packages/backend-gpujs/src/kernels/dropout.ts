// y[i] = uniformAt(key, i) < rate ? 0 : x[i] / (1 − rate). The random numbers are made on the host, with core's own function: they have 32-bit sums and xors,
// and whole numbers in WebGL through gpu.js are floats with 24 bits. So the mask has the very bits of the other backends.
import { type KernelTable, sizeOf, uniformAt } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

const kept = program(function (this: Thread, x: List, mask: List, rate: number) {
  return mask[this.thread.x]! < 0.5 ? 0.0 : x[this.thread.x]! / (1 - rate);
});

export const dropoutKernels = {
  dropout: (gpu, [x], [y], { rate, key }) => {
    const n = sizeOf(x!.shape);
    const mask = Float32Array.from({ length: n }, (_, i) => (uniformAt(key, i) < rate ? 0 : 1));
    gpu.fill(y!, kept, [n], [gpu.values(x!), mask, rate]);
  },
} satisfies Partial<KernelTable<Gpu>>;
