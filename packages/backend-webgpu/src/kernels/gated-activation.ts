// A gated activation and its two gradients.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { CURVES } from "./activation.ts";

export const gatedActivationKernels = {
  // y = f(g)·u
  gatedActivation: (gpu, inputs, outputs, { activation }) => {
    const [g, u] = inputs as [View, View];
    const [y] = outputs as [View];
    const { functions, value } = CURVES[activation];
    gpu.dispatch({
      name: "gatedActivation",
      constants: { activation },
      reads: { g, u },
      writes: { y },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `${functions}
fn thread(i: u32) {
  let x = g[i];
  let s = share(x);
  y[i] = ${value} * u[i];
}`,
    });
  },
  // dg = dy·u·f′(g)     du = dy·f(g)
  gatedActivationBackward: (gpu, inputs, outputs, { activation }) => {
    const [g, u, dy] = inputs as [View, View, View];
    const [dg, du] = outputs as [View, View];
    const { functions, back } = CURVES[activation];
    gpu.dispatch({
      name: "gatedActivationBackward",
      constants: { activation },
      reads: { g, u, dy },
      writes: { dg, du },
      grid: { threads: sizeOf(g.shape) },
      wgsl: () => `${functions}
fn thread(i: u32) {
  let x = g[i];
  let s = share(x);
  dg[i] = ${back("dy[i] * u[i]")};
  du[i] = dy[i] * x * s;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
