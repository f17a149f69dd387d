// A gated activation and its two gradients.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { CURVES } from "./activation.ts";

export const gatedActivationKernels = {
  // y = f(g)·u
  gatedActivation: (host, inputs, outputs, { activation }) => {
    const [g, u] = inputs.map((x: View) => host.f32(x)) as [Float32Array, Float32Array];
    const result = host.f32(outputs[0]!);
    for (let i = 0; i < result.length; i++) result[i] = CURVES[activation].value(g[i]!) * u[i]!;
  },
  // dg = dy·u·f′(g)     du = dy·f(g)
  gatedActivationBackward: (host, inputs, outputs, { activation }) => {
    const [g, u, dy] = inputs.map((x: View) => host.f32(x)) as [Float32Array, Float32Array, Float32Array];
    const [dg, du] = outputs.map((x) => host.f32(x)) as [Float32Array, Float32Array];
    const { value, slope } = CURVES[activation];
    for (let i = 0; i < g.length; i++) {
      dg[i] = dy[i]! * u[i]! * slope(g[i]!);
      du[i] = dy[i]! * value(g[i]!);
    }
  },
} satisfies Partial<KernelTable<Host>>;
