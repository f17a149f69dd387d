// SwiGLU and its two gradients. s = σ(g).
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const swigluKernels = {
  // y = g·s·u
  swiglu: (host, inputs, outputs) => {
    const [g, u] = inputs.map((x) => host.f32(x)) as [Float32Array, Float32Array];
    const result = host.f32(outputs[0]!);
    for (let i = 0; i < result.length; i++) result[i] = g[i]! * sigmoid(g[i]!) * u[i]!;
  },
  // dg = dy·u·s·(1 + g·(1 − s))     du = dy·g·s
  swigluBackward: (host, inputs, outputs) => {
    const [g, u, dy] = inputs.map((x: View) => host.f32(x)) as [Float32Array, Float32Array, Float32Array];
    const [dg, du] = outputs.map((x) => host.f32(x)) as [Float32Array, Float32Array];
    for (let i = 0; i < g.length; i++) {
      const s = sigmoid(g[i]!);
      dg[i] = dy[i]! * u[i]! * s * (1 + g[i]! * (1 - s));
      du[i] = dy[i]! * g[i]! * s;
    }
  },
} satisfies Partial<KernelTable<Host>>;
