// Sums, maxima and their counterpart, repetition. What is reduced is brought to the end of each row, and a thread goes along one row.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import { type Gpu, rowsOf } from "../gpu.ts";
import { type Matrix, program, type Thread } from "../program.ts";
import { permuted, repeated } from "./strided.ts";

// y[r] = Σ_i x[r, i]
const sumOfRow = program(function (this: Thread, x: Matrix, n: number) {
  let sum = 0.0;
  for (let i = 0; i < n; i++) sum += x[this.thread.x]![i]!;
  return sum;
});

// y[r] = max_i x[r, i]; a NaN stays, and of nothing it is the lowest, −∞
const largestOfRow = program(function (this: Thread, x: Matrix, n: number, lowest: number) {
  let largest = lowest;
  for (let i = 0; i < n; i++) {
    const value = x[this.thread.x]![i]!;
    if (value > largest || value !== value) largest = value;
  }
  return largest;
});

// y[r] = the first i where x[r, i] is largest; a NaN is larger than all
const placeOfLargest = program(function (this: Thread, x: Matrix, n: number) {
  let place = 0;
  let largest = x[this.thread.x]![0]!;
  for (let i = 1; i < n; i++) {
    const value = x[this.thread.x]![i]!;
    if (value > largest || (value !== value && largest === largest)) {
      place = i;
      largest = value;
    }
  }
  return place;
});

/** The sums of rows, as a list. */
const sumRows = (gpu: Gpu, x: Sized, rows: number, n: number): Sized => gpu.run(sumOfRow, [rows], [gpu.as(x, [n, rows]), whole(n)]);
/** The largest of each row, as a list. */
export const largestInRows = (gpu: Gpu, x: Sized, rows: number, n: number): Sized =>
  gpu.run(largestOfRow, [rows], [gpu.as(x, [n, rows]), whole(n), Number.NEGATIVE_INFINITY]);

/** Reduces x to the shape of y, in which some axes of x are missing or 1. */
function reduce(gpu: Gpu, x: View, y: View, reduceRows: typeof sumRows): void {
  const lead = x.shape.length - y.shape.length;
  const isKept = x.shape.map((size, d) => d >= lead && y.shape[d - lead] === size);
  const axes = x.shape.map((_, d) => d);
  const kept = axes.filter((d) => isKept[d]);
  const reduced = axes.filter((d) => !isKept[d]);
  const rows = sizeOf(y.shape);
  const n = sizeOf(reduced.map((d) => x.shape[d]!));
  const inRows = reduced.every((d) => kept.every((k) => k < d))
    ? gpu.values(x)
    : permuted(gpu, gpu.values(x), x.shape, [...kept, ...reduced]);
  gpu.give(y, reduceRows(gpu, inRows, rows, n));
}

export const reduceKernels = {
  sumTo: (gpu, [x], [y]) => reduce(gpu, x!, y!, sumRows),
  maxTo: (gpu, [x], [y]) => reduce(gpu, x!, y!, largestInRows),
  broadcastTo: (gpu, [x], [y]) => gpu.give(y!, repeated(gpu, gpu.values(x!), x!.shape, y!.shape)),
  argmax: (gpu, [x], [y]) => {
    const { rows, n } = rowsOf(x!.shape);
    gpu.fill(y!, placeOfLargest, [rows], [gpu.values(x!, [n, rows]), whole(n)]);
  },
} satisfies Partial<KernelTable<Gpu>>;
