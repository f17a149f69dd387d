// One step of AdamW, an output a program; each operation rounded to f32, in torch's order. In place means here: new moments first, then the new parameter from
// them, and then all three take the places of the old.
import { type AdamWAttrs, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Sized } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

// ĝ = gradScale·g
const scaled = program(function (this: Thread, g: List, gradScale: List) {
  return g[this.thread.x]! * gradScale[0]!;
});

// m ← m + (1 − β₁)(ĝ − m)
const firstMoment = program(function (this: Thread, m: List, g: List, gain: number) {
  const old = m[this.thread.x]!;
  return old + Math.fround(gain * Math.fround(g[this.thread.x]! - old));
});

// v ← β₂v + (1 − β₂)ĝ²
const secondMoment = program(function (this: Thread, v: List, g: List, keep: number, gain: number) {
  const grad = g[this.thread.x]!;
  return Math.fround(v[this.thread.x]! * keep) + Math.fround(Math.fround(gain * grad) * grad);
});

// p ← p·(1 − lr·λ) − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
const stepped = program(function (
  this: Thread,
  p: List,
  m: List,
  v: List,
  keep: number,
  negativeRate: number,
  correction: number,
  small: number,
) {
  const root = Math.fround(Math.sqrt(v[this.thread.x]!));
  const denominator = Math.fround(Math.fround(root / correction) + small);
  const step = Math.fround(Math.fround(negativeRate * m[this.thread.x]!) / denominator);
  return Math.fround(p[this.thread.x]! * keep) + step;
});

export interface Step {
  readonly p: Sized;
  readonly m: Sized;
  readonly v: Sized;
}

/** ĝ of n elements, from a view of one number. */
export const scaledGradient = (gpu: Gpu, g: Sized, gradScale: Sized, n: number): Sized => gpu.run(scaled, [n], [g, gradScale]);

/** Parameter and moments of n elements after one step. */
export function adamWStep(gpu: Gpu, { p, m, v }: Step, g: Sized, n: number, attrs: AdamWAttrs): Step {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs;
  const round = Math.fround;
  const newM = gpu.run(firstMoment, [n], [m, g, round(1 - beta1)]);
  const newV = gpu.run(secondMoment, [n], [v, g, round(beta2), round(1 - beta2)]);
  const negativeRate = round(-learningRate / (1 - beta1 ** step));
  const correction = round(Math.sqrt(1 - beta2 ** step));
  const newP = gpu.run(stepped, [n], [p, newM, newV, round(1 - learningRate * weightDecay), negativeRate, correction, round(epsilon)]);
  return { p: newP, m: newM, v: newV };
}

export const adamWKernels = {
  adamW: (gpu, [p, m, v, g, gradScale], [nextP, nextM, nextV], attrs) => {
    const n = sizeOf(p!.shape);
    const gradient = scaledGradient(gpu, gpu.values(g!), gpu.values(gradScale!), n);
    const next = adamWStep(gpu, { p: gpu.values(p!), m: gpu.values(m!), v: gpu.values(v!) }, gradient, n, attrs);
    gpu.give(nextP!, next.p);
    gpu.give(nextM!, next.m);
    gpu.give(nextV!, next.v);
  },
} satisfies Partial<KernelTable<Gpu>>;
