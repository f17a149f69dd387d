// One element a row, and a row of zeros with one element.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";

export const gatherKernels = {
  // y[r] = x[r, index[r]]: x [rows, n]
  gather: (gpu, inputs, outputs) => {
    const [x, index] = inputs as [View, View];
    const [y] = outputs as [View];
    gpu.dispatch({
      name: "gather",
      reads: { x, index },
      writes: { y },
      params: { n: x.shape.at(-1)! },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => "fn thread(r: u32) { y[r] = x_at(r * params.n + u32(index_at(r))); }",
    });
  },
  // y[r, c] = x[r] where c = index[r], zero elsewhere: y [rows, size]
  scatter: (gpu, inputs, outputs, { size }) => {
    const [x, index] = inputs as [View, View];
    const [y] = outputs as [View];
    gpu.dispatch({
      name: "scatter",
      reads: { x, index },
      writes: { y },
      params: { size },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `fn thread(k: u32) {
  let r = k / params.size;
  y[k] = select(0.0, x_at(r), u32(index_at(r)) == k % params.size);
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
