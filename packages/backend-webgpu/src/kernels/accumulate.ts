// y ← y + x
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";

export const accumulateKernels = {
  accumulate: (gpu, inputs, outputs) => {
    const [, x] = inputs as [View, View];
    const [y] = outputs as [View];
    const toItself = x.buffer === y.buffer; // what is written is bound once
    gpu.dispatch({
      name: "accumulate",
      constants: { toItself },
      reads: toItself ? {} : { x },
      writes: { y },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `fn thread(i: u32) { y[i] += ${toItself ? "y[i]" : "x_at(i)"}; }`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
