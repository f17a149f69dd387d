// One step of AdamW in place, with the bits of core's optim/adamw.ts but for subnormal numbers, which a GPU may take for 0 (rounded.ts says how).
import { type AdamWAttrs, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { type Float, float, type Gpu } from "../dispatch.ts";
import { ROUNDED } from "./rounded.ts";

/** A step's scalars, rounded to f32 once, as the reference rounds them. */
export const adamWScalars = ({
  learningRate,
  beta1,
  beta2,
  epsilon,
  weightDecay,
  step,
}: AdamWAttrs): Readonly<Record<string, number | Float>> => ({
  keep: float(1 - learningRate * weightDecay),
  gain1: float(1 - beta1),
  keep2: float(beta2),
  gain2: float(1 - beta2),
  rate: float(-learningRate / (1 - beta1 ** step)),
  correction: float(Math.sqrt(1 - beta2 ** step)),
  small: float(epsilon),
  zero: 0,
});

/** `fn moved`: an element's parameter and moments after the step; ĝ = gradScale·g is g here. */
export const ADAMW_STEP = `${ROUNDED}
struct Moved { p: f32, m: f32, v: f32 }
// m ← m + (1 − β₁)(g − m)     v ← β₂v + (1 − β₂)g²     p ← p·(1 − lr·λ) − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
fn moved(p: f32, m: f32, v: f32, g: f32) -> Moved {
  let m1 = sum(m, product(params.gain1, sum(g, -m)));
  let v1 = sum(product(v, params.keep2), product(product(params.gain2, g), g));
  let deviation = sum(divide(sqrt_(v1), params.correction), params.small);
  return Moved(sum(product(p, params.keep), divide(product(params.rate, m1), deviation)), m1, v1);
}`;

export const adamWKernels = {
  adamW: (gpu, inputs, outputs, attrs) => {
    const [, , , g, gradScale] = inputs as [View, View, View, View, View];
    const [p, m, v] = outputs as [View, View, View];
    gpu.dispatch({
      name: "adamW",
      reads: { g, gradScale },
      writes: { p, m, v },
      params: adamWScalars(attrs),
      grid: { threads: sizeOf(p.shape) },
      wgsl: () => `${ADAMW_STEP}
fn thread(i: u32) {
  let next = moved(p[i], m[i], v[i], product(g_at(i), gradScale_at(0u)));
  p[i] = next.p;
  m[i] = next.m;
  v[i] = next.v;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
