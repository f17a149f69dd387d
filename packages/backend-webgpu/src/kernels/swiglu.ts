// SwiGLU and its two gradients. s = σ(g).
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { MATH } from "./math.ts";

export const swigluKernels = {
  // y = g·s·u
  swiglu: (gpu, inputs, outputs) => {
    const [g, u] = inputs as [View, View];
    const [y] = outputs as [View];
    gpu.dispatch({
      name: "swiglu",
      reads: { g, u },
      writes: { y },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `${MATH.sigmoid}
fn thread(i: u32) { y[i] = g[i] * sigmoid(g[i]) * u[i]; }`,
    });
  },
  // dg = dy·u·s·(1 + g·(1 − s))     du = dy·g·s
  swigluBackward: (gpu, inputs, outputs) => {
    const [g, u, dy] = inputs as [View, View, View];
    const [dg, du] = outputs as [View, View];
    gpu.dispatch({
      name: "swigluBackward",
      reads: { g, u, dy },
      writes: { dg, du },
      grid: { threads: sizeOf(g.shape) },
      wgsl: () => `${MATH.sigmoid}
fn thread(i: u32) {
  let s = sigmoid(g[i]);
  dg[i] = dy[i] * u[i] * s * (1.0 + g[i] * (1.0 - s));
  du[i] = dy[i] * g[i] * s;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
