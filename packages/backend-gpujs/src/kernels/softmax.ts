// softmax and logSoftmax over the last axis, in three passes: the largest of a row, the sum of its exponentials, and then each element.
import type { Kernel, KernelTable } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import { type Gpu, rowsOf } from "../gpu.ts";
import { type List, type Matrix, type Program, program, type Thread } from "../program.ts";
import { largestInRows } from "./reduce.ts";

// Σ_i e^(x[r, i] − largest[r]): shifted, so that no exponential overflows
const shiftedSum = program(function (this: Thread, x: Matrix, largest: List, n: number) {
  let sum = 0.0;
  for (let i = 0; i < n; i++) sum += Math.exp(x[this.thread.x]![i]! - largest[this.thread.x]!);
  return sum;
});

// y[r, i] = e^(x[r, i] − largest[r]) / sum[r]
const share = program(function (this: Thread, x: Matrix, largest: List, sum: List) {
  return Math.exp(x[this.thread.z]![this.thread.x]! - largest[this.thread.z]!) / sum[this.thread.z]!;
});

// y[r, i] = x[r, i] − largest[r] − ln sum[r]
const logShare = program(function (this: Thread, x: Matrix, largest: List, sum: List) {
  return x[this.thread.z]![this.thread.x]! - largest[this.thread.z]! - Math.log(sum[this.thread.z]!);
});

/** Of each row, the largest and the sum of exponentials, shifted by it. */
export function shiftedSums(gpu: Gpu, x: Sized, rows: number, n: number): { readonly largest: Sized; readonly sum: Sized } {
  const largest = largestInRows(gpu, x, rows, n);
  return { largest, sum: gpu.run(shiftedSum, [rows], [gpu.as(x, [n, rows]), largest, whole(n)]) };
}

const byRow =
  (each: Program): Kernel<Gpu, Record<never, never>> =>
  (gpu, [x], [y]) => {
    const { rows, n } = rowsOf(x!.shape);
    const values = gpu.values(x!, [n, rows]);
    const { largest, sum } = shiftedSums(gpu, values, rows, n);
    gpu.fill(y!, each, [n, rows], [values, largest, sum]);
  };

export const softmaxKernels = { softmax: byRow(share), logSoftmax: byRow(logShare) } satisfies Partial<KernelTable<Gpu>>;
