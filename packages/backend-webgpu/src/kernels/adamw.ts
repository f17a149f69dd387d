// One step of AdamW in place: core's optim/adamw.ts, bit for bit on every GPU, because all of it is arithmetic on the bits (exact.ts). That is some thousand
// instructions an element where the hardware's own would be thirty, and still less than a hundredth of a training step.
import { type AdamWAttrs, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { EXACT } from "./exact.ts";
import { EXACT_ROOT } from "./exact-root.ts";
import { asBits } from "./move-elements.ts";

/** A step's scalars as the bits of f32, rounded once. */
export function adamWScalars({ learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWAttrs): Record<string, number> {
  const scalars = {
    keep: 1 - learningRate * weightDecay,
    gain1: 1 - beta1,
    keep2: beta2,
    gain2: 1 - beta2,
    rate: -learningRate / (1 - beta1 ** step),
    correction: Math.sqrt(1 - beta2 ** step),
    small: epsilon,
  };
  return Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, new Uint32Array(Float32Array.of(value).buffer)[0]!]));
}

/** `fn moved`: an element's parameter and moments after the step, of bits; ĝ = gradScale·g is g here. */
export const ADAMW_STEP = `${EXACT}${EXACT_ROOT}
struct Moved { p: u32, m: u32, v: u32 }
// m ← m + (1 − β₁)(g − m)     v ← β₂v + (1 − β₂)g²     p ← p·(1 − lr·λ) − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
fn moved(p: u32, m: u32, v: u32, g: u32) -> Moved {
  let m1 = total(m, product(params.gain1, total(g, m ^ 0x80000000u)));
  let v1 = total(product(v, params.keep2), product(product(params.gain2, g), g));
  let deviation = total(quotient(root(v1), params.correction), params.small);
  return Moved(total(product(p, params.keep), quotient(product(params.rate, m1), deviation)), m1, v1);
}`;

export const adamWKernels = {
  adamW: (gpu, inputs, outputs, attrs) => {
    const [, , , g, gradScale] = inputs as [View, View, View, View, View];
    const [p, m, v] = outputs as [View, View, View];
    gpu.dispatch({
      name: "adamW",
      reads: { g: asBits(g), gradScale: asBits(gradScale) },
      writes: { p, m, v },
      as: { p: "u32", m: "u32", v: "u32" },
      params: adamWScalars(attrs),
      grid: { threads: sizeOf(p.shape) },
      wgsl: () => `${ADAMW_STEP}
fn thread(i: u32) {
  let next = moved(p[i], m[i], v[i], product(bitcast<u32>(g_at(i)), bitcast<u32>(gradScale_at(0u))));
  p[i] = next.p;
  m[i] = next.m;
  v[i] = next.v;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
