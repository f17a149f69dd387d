// One element a row, and a row of zeros with one element.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { partOf, stretchesOf } from "../part.ts";

export const gatherKernels = {
  // y[r] = x[r, index[r]]: x [rows, n]. What is too large to be seen at once is gone through part by part of its rows
  gather: (gpu, inputs, outputs) => {
    const [x, index] = inputs as [View, View];
    const [y] = outputs as [View];
    const n = x.shape.at(-1)!;
    const rows = { ...x, shape: [sizeOf(y.shape), n] };
    for (const part of stretchesOf(rows, gpu.facts.maxBindingBytes))
      gpu.dispatch({
        name: "gather",
        reads: { x: partOf(rows, part), index },
        writes: { y },
        params: { n, first: part.first },
        grid: { threads: part.count },
        wgsl: () => `fn thread(r: u32) {
  let row = params.first + r;
  y[row] = x_at(r * params.n + u32(index_at(row)));
}`,
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
