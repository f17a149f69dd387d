// RMSNorm over the last axis and its two gradients: x [rows, n], w [n], r = 1/√(mean(x²) + ε) a row. A workgroup a row.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { type Float, float, type Gpu } from "../dispatch.ts";
import { sumTo } from "./reduce.ts";
import { type Folds, foldsOfRows } from "./workgroup-fold.ts";

const COLUMN_SEGMENT = 32; // rows that one thread sums up for the gradient of a weight

const rowsOf = (x: View): number => sizeOf(x.shape.slice(0, -1));
const numbers = (x: View, epsilon: number): Record<string, number | Float> => ({ n: x.shape.at(-1)!, epsilon: float(epsilon) });

/** `fn root(row, local)`: r of the row that starts there. */
const root = ({ total }: Folds): string => `${total}
fn root(row: u32, local: u32) -> f32 {
  var part = 0.0;
  for (var i = local; i < params.n; i += fold_width) { part += x_at(row + i) * x_at(row + i); }
  return inverseSqrt(total(local, part) / f32(params.n) + params.epsilon);
}`;

export const rmsNormKernels = {
  // y = x·r·w
  rmsNorm: (gpu, inputs, outputs, { epsilon }) => {
    const [x, w] = inputs as [View, View];
    const [y] = outputs as [View];
    const folds = foldsOfRows(gpu);
    gpu.dispatch({
      name: "rmsNorm",
      ...folds.how,
      constants: folds.constants,
      reads: { x, w },
      writes: { y },
      params: numbers(x, epsilon),
      grid: { workgroups: rowsOf(x), size: folds.width },
      wgsl: () => `${root(folds)}
fn block(group: u32, local: u32) {
  let row = group * params.n;
  let r = root(row, local);
  for (var i = local; i < params.n; i += fold_width) { y[row + i] = x_at(row + i) * r * w[i]; }
}`,
    });
  },
  // g = dy·w     dx = r·(g − x·r²·mean(g·x))
  rmsNormGradInput: (gpu, inputs, outputs, { epsilon }) => {
    const [x, w, dy] = inputs as [View, View, View];
    const [dx] = outputs as [View];
    const folds = foldsOfRows(gpu);
    gpu.dispatch({
      name: "rmsNormGradInput",
      ...folds.how,
      constants: folds.constants,
      reads: { x, w, dy },
      writes: { dx },
      params: numbers(x, epsilon),
      grid: { workgroups: rowsOf(x), size: folds.width },
      wgsl: () => `${root(folds)}
fn block(group: u32, local: u32) {
  let row = group * params.n;
  let r = root(row, local);
  var part = 0.0;
  for (var i = local; i < params.n; i += fold_width) { part += dy_at(row + i) * w[i] * x_at(row + i); }
  let slope = r * r * (total(local, part) / f32(params.n));
  for (var i = local; i < params.n; i += fold_width) { dx[row + i] = r * (dy_at(row + i) * w[i] - x_at(row + i) * slope); }
}`,
    });
  },
  // dw = Σ over rows of dy·x·r: first the roots, then sums of a few rows each, then those.
  rmsNormGradWeight: (gpu, inputs, outputs, { epsilon }) => {
    const [x, , dy] = inputs as [View, View, View];
    const [dw] = outputs as [View];
    const rows = rowsOf(x);
    const n = x.shape.at(-1)!;
    const folds = foldsOfRows(gpu);
    const roots = gpu.temporary("f32", [rows]);
    gpu.dispatch({
      name: "rmsNormRoots",
      ...folds.how,
      constants: folds.constants,
      reads: { x },
      writes: { roots },
      params: numbers(x, epsilon),
      grid: { workgroups: rows, size: folds.width },
      wgsl: () => `${root(folds)}
fn block(group: u32, local: u32) {
  let r = root(group * params.n, local);
  if (local == 0u) { roots[group] = r; }
}`,
    });
    const segments = Math.max(1, Math.ceil(rows / COLUMN_SEGMENT));
    const sums = segments === 1 ? dw : gpu.temporary("f32", [segments, n]);
    gpu.dispatch({
      name: "rmsNormGradWeight",
      reads: { x, dy, roots },
      writes: { sums },
      params: { n, rows },
      grid: { threads: segments * n },
      wgsl: () => `fn thread(i: u32) {
  let begin = (i / params.n) * ${COLUMN_SEGMENT}u;
  var sum = 0.0;
  for (var row = begin; row < min(begin + ${COLUMN_SEGMENT}u, params.rows); row++) {
    let at = row * params.n + i % params.n;
    sum += dy_at(at) * x_at(at) * roots[row];
  }
  sums[i] = sum;
}`,
    });
    if (segments > 1) sumTo(gpu, sums, dw);
  },
} satisfies Partial<KernelTable<Gpu>>;
