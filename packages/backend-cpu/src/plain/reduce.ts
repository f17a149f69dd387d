// Sums, maxima and their counterpart, repetition. Sums in f64, in row-major order; a NaN makes the maximum NaN, and is the largest to argmax.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { positionsIn } from "./broadcast.ts";

function fold(host: Host, x: View, y: View, start: number, f: (total: number, value: number) => number): void {
  const values = host.f32(x);
  const at = positionsIn(y.shape, x.shape);
  const totals = new Float64Array(sizeOf(y.shape)).fill(start);
  for (let i = 0; i < values.length; i++) totals[at[i]!] = f(totals[at[i]!]!, values[i]!);
  host.f32(y).set(totals);
}

export const reduceKernels = {
  sumTo: (host, inputs, outputs) => fold(host, inputs[0]!, outputs[0]!, 0, (a, b) => a + b),
  maxTo: (host, inputs, outputs) => fold(host, inputs[0]!, outputs[0]!, Number.NEGATIVE_INFINITY, Math.max),
  broadcastTo: (host, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const values = host.f32(x);
    const at = positionsIn(x.shape, y.shape);
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = values[at[i]!]!;
  },
  argmax: (host, inputs, outputs) => {
    const [x] = inputs as [View];
    const n = x.shape.at(-1)!;
    const values = host.f32(x);
    const result = host.i32(outputs[0]!);
    for (let r = 0; r < result.length; r++) {
      let best = 0;
      for (let i = 1; i < n; i++) {
        const [value, largest] = [values[r * n + i]!, values[r * n + best]!];
        if (value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) best = i;
      }
      result[r] = best;
    }
  },
} satisfies Partial<KernelTable<Host>>;
