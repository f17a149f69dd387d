// softmax and logSoftmax over the last axis.
import type { Kernel, KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { rowsOf } from "./broadcast.ts";

/** ln Σ e^z, shifted by the largest so that no exponential overflows. −∞ of nothing, or where all are −∞. */
export function logSumExp(z: Float64Array | Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of z) largest = Math.max(largest, value);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (const value of z) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

const byRow =
  (f: (x: number, logSum: number) => number): Kernel<Host, Record<never, never>> =>
  (host, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const { rows, n } = rowsOf(x.shape);
    const values = host.f32(x);
    const result = host.f32(y);
    for (let r = 0; r < rows; r++) {
      const logSum = logSumExp(values.subarray(r * n, (r + 1) * n));
      for (let i = r * n; i < (r + 1) * n; i++) result[i] = f(values[i]!, logSum);
    }
  };

export const softmaxKernels = {
  softmax: byRow((x, logSum) => Math.exp(x - logSum)),
  logSoftmax: byRow((x, logSum) => x - logSum),
} satisfies Partial<KernelTable<Host>>;
