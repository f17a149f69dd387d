// One element a row, and a row of zeros with one element.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";

export const gatherKernels = {
  // y[r] = x[r, index[r]]
  gather: (host, inputs, outputs) => {
    const [x, index] = inputs as [View, View];
    const [y] = outputs as [View];
    const n = x.shape.at(-1)!;
    const values = host.f32(x);
    const at = host.i32(index);
    const result = host.f32(y);
    for (let r = 0; r < result.length; r++) result[r] = values[r * n + at[r]!]!;
  },
  // y[r, index[r]] = x[r], zero elsewhere
  scatter: (host, inputs, outputs, { size }) => {
    const [x, index] = inputs as [View, View];
    const [y] = outputs as [View];
    const values = host.f32(x);
    const at = host.i32(index);
    const result = host.f32(y).fill(0);
    for (let r = 0; r < values.length; r++) result[r * size + at[r]!] = values[r]!;
  },
} satisfies Partial<KernelTable<Host>>;
