// RMSNorm over the last axis and its two gradients. x [rows, n], w [n], r = 1/√(mean(x²) + ε) a row, which is one pass of its own.
import type { KernelTable, View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import { type Gpu, rowsOf } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";

const reciprocalRms = program(function (this: Thread, x: Matrix, n: number, epsilon: number) {
  let squares = 0.0;
  for (let i = 0; i < n; i++) squares += x[this.thread.x]![i]! * x[this.thread.x]![i]!;
  return 1 / Math.sqrt(squares / n + epsilon);
});

// y = x·r·w
const normed = program(function (this: Thread, x: Matrix, w: List, r: List) {
  return x[this.thread.z]![this.thread.x]! * r[this.thread.z]! * w[this.thread.x]!;
});

// mean over a row of dy·w·x
const meanProduct = program(function (this: Thread, x: Matrix, w: List, dy: Matrix, n: number) {
  let sum = 0.0;
  for (let i = 0; i < n; i++) sum += dy[this.thread.x]![i]! * w[i]! * x[this.thread.x]![i]!;
  return sum / n;
});

// dx = r·(dy·w − x·r²·mean(dy·w·x))
const gradInput = program(function (this: Thread, x: Matrix, w: List, dy: Matrix, r: List, mean: List) {
  const row = this.thread.z;
  const factor = r[row]! * r[row]! * mean[row]!;
  return r[row]! * (dy[row]![this.thread.x]! * w[this.thread.x]! - x[row]![this.thread.x]! * factor);
});

// dw = Σ over rows of dy·x·r
const gradWeight = program(function (this: Thread, x: Matrix, dy: Matrix, r: List, rows: number) {
  let sum = 0.0;
  for (let row = 0; row < rows; row++) sum += dy[row]![this.thread.x]! * x[row]![this.thread.x]! * r[row]!;
  return sum;
});

function rowsAndRms(
  gpu: Gpu,
  x: View,
  epsilon: number,
): { readonly rows: number; readonly n: number; readonly xs: Sized; readonly r: Sized } {
  const { rows, n } = rowsOf(x.shape);
  const xs = gpu.values(x, [n, rows]);
  return { rows, n, xs, r: gpu.run(reciprocalRms, [rows], [xs, whole(n), epsilon]) };
}

export const rmsNormKernels = {
  rmsNorm: (gpu, [x, w], [y], { epsilon }) => {
    const { rows, n, xs, r } = rowsAndRms(gpu, x!, epsilon);
    gpu.fill(y!, normed, [n, rows], [xs, gpu.values(w!), r]);
  },
  rmsNormGradInput: (gpu, [x, w, dy], [dx], { epsilon }) => {
    const { rows, n, xs, r } = rowsAndRms(gpu, x!, epsilon);
    const [weight, grad] = [gpu.values(w!), gpu.values(dy!, [n, rows])];
    const mean = gpu.run(meanProduct, [rows], [xs, weight, grad, whole(n)]);
    gpu.fill(dx!, gradInput, [n, rows], [xs, weight, grad, r, mean]);
  },
  rmsNormGradWeight: (gpu, [x, , dy], [dw], { epsilon }) => {
    const { rows, n, xs, r } = rowsAndRms(gpu, x!, epsilon);
    gpu.fill(dw!, gradWeight, [n], [xs, gpu.values(dy!, [n, rows]), r, whole(rows)]);
  },
} satisfies Partial<KernelTable<Gpu>>;
