// softmax and logSoftmax over the last axis.
import type { Kernel, KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { rowsOf } from "./broadcast.ts";

/** The largest of z, and Σ e^(z − largest): shifted so that no exponential overflows. Where all are −∞, the sum is NaN as in PyTorch; of nothing it is 0. */
export function shiftedSum(z: Float64Array | Float32Array): { readonly largest: number; readonly sum: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of z) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of z) sum += Math.exp(value - largest);
  return { largest, sum };
}

/** f of each element less its row's largest, and of its row's shifted sum. */
const byRow =
  (f: (shifted: number, sum: number) => number): Kernel<Host, Record<never, never>> =>
  (host, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const { rows, n } = rowsOf(x.shape);
    const values = host.f32(x);
    const result = host.f32(y);
    for (let r = 0; r < rows; r++) {
      const { largest, sum } = shiftedSum(values.subarray(r * n, (r + 1) * n));
      for (let i = r * n; i < (r + 1) * n; i++) result[i] = f(values[i]! - largest, sum);
    }
  };

export const softmaxKernels = {
  softmax: byRow((shifted, sum) => Math.exp(shifted) / sum),
  logSoftmax: byRow((shifted, sum) => shifted - Math.log(sum)),
} satisfies Partial<KernelTable<Host>>;
