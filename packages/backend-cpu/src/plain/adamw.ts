// One step of AdamW in place, with core's reference arithmetic.
import { adamWStep, type KernelTable, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";

/** ĝ = gradScale·g in f32. */
export const scaledGradient = (host: Host, g: View, gradScale: View): Float32Array => {
  const [factor] = host.f32(gradScale) as unknown as [number];
  return host.f32(g).map((value) => value * factor);
};

export const adamWKernels = {
  adamW: (host, inputs, outputs, attrs) => {
    const [p, m, v, g, gradScale] = inputs as [View, View, View, View, View];
    const next = adamWStep(host.f32(p), scaledGradient(host, g, gradScale), { m: host.f32(m), v: host.f32(v) }, attrs);
    [next.parameter, next.m, next.v].forEach((values, i) => {
      host.f32(outputs[i]!).set(values);
    });
  },
} satisfies Partial<KernelTable<Host>>;
