// RMSNorm over the last axis and its two gradients, sums in f64. x [rows, n], w [n], r = 1/√(mean(x²) + ε) a row.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { rowsOf } from "./broadcast.ts";

/** r of the row that starts at `from`. */
function reciprocalRms(x: Float32Array, from: number, n: number, epsilon: number): number {
  let squares = 0;
  for (let i = from; i < from + n; i++) squares += x[i]! * x[i]!;
  return 1 / Math.sqrt(squares / n + epsilon);
}

export const rmsNormKernels = {
  // y = x·r·w
  rmsNorm: (host, inputs, outputs, { epsilon }) => {
    const [x, weight] = inputs as [View, View];
    const { rows, n } = rowsOf(x.shape);
    const [xs, w] = [host.f32(x), host.f32(weight)];
    const result = host.f32(outputs[0]!);
    for (let row = 0; row < rows; row++) {
      const from = row * n;
      const r = reciprocalRms(xs, from, n, epsilon);
      for (let i = 0; i < n; i++) result[from + i] = xs[from + i]! * r * w[i]!;
    }
  },
  // g = dy·w     dx = r·(g − x·r²·mean(g·x))
  rmsNormGradInput: (host, inputs, outputs, { epsilon }) => {
    const [x, weight, grad] = inputs as [View, View, View];
    const { rows, n } = rowsOf(x.shape);
    const [xs, w, dy] = [host.f32(x), host.f32(weight), host.f32(grad)];
    const result = host.f32(outputs[0]!);
    for (let row = 0; row < rows; row++) {
      const from = row * n;
      const r = reciprocalRms(xs, from, n, epsilon);
      let sum = 0;
      for (let i = 0; i < n; i++) sum += dy[from + i]! * w[i]! * xs[from + i]!;
      for (let i = 0; i < n; i++) result[from + i] = r * (dy[from + i]! * w[i]! - xs[from + i]! * r * r * (sum / n));
    }
  },
  // dw = Σ over rows of dy·x·r
  rmsNormGradWeight: (host, inputs, outputs, { epsilon }) => {
    const [x, , grad] = inputs as [View, View, View];
    const { rows, n } = rowsOf(x.shape);
    const [xs, dy] = [host.f32(x), host.f32(grad)];
    const sums = new Float64Array(n);
    for (let row = 0; row < rows; row++) {
      const from = row * n;
      const r = reciprocalRms(xs, from, n, epsilon);
      for (let i = 0; i < n; i++) sums[i]! += dy[from + i]! * xs[from + i]! * r;
    }
    host.f32(outputs[0]!).set(sums);
  },
} satisfies Partial<KernelTable<Host>>;
