// One step of AdamW (Loshchilov & Hutter 2019) on plain arrays: the reference of every backend's kernel, in the order of torch.optim.AdamW without
// fused multiply-adds. Not in place: what it is given stays as it is. Every product and sum is rounded to f32, scalars once, before the loop:
//
//   p ← p·(1 − lr·λ)      m ← m + (1 − β₁)(g − m)      v ← β₂v + (1 − β₂)g²      p ← p − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
import { ShapeError } from "../error.ts";

/** What a step of AdamW needs besides the arrays. */
export interface AdamWStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Added after the square root and its bias correction. */
  readonly epsilon: number;
  /** Decoupled: shrinks the parameter before the step, and never enters the moments. */
  readonly weightDecay: number;
  /** Counts from 1. */
  readonly step: number;
}

/** The running means of a parameter's gradient and of its square; zeros before the first step. */
export interface AdamWState {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/**
 * Parameter and moments after one step, as new arrays of the same length.
 * @throws ShapeError unless all lengths agree
 */
export function adamWStep(
  parameter: Float32Array,
  gradient: Float32Array,
  { m, v }: AdamWState,
  { learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWStep,
): { parameter: Float32Array } & AdamWState {
  const lengths = [parameter, gradient, m, v].map((x) => [x.length]);
  if (lengths.some(([n]) => n !== parameter.length))
    throw new ShapeError("adamWStep", lengths, `parameter, gradient and moments have ${lengths.join(", ")} elements; they must agree.`);
  const round = Math.fround;
  const keep = round(1 - learningRate * weightDecay);
  const gain1 = round(1 - beta1);
  const keep2 = round(beta2);
  const gain2 = round(1 - beta2);
  const negativeRate = round(-learningRate / (1 - beta1 ** step));
  const correction2 = round(Math.sqrt(1 - beta2 ** step));
  const small = round(epsilon);
  const next = { parameter: new Float32Array(parameter.length), m: new Float32Array(m.length), v: new Float32Array(v.length) };
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i]!;
    const m1 = round(m[i]! + round(gain1 * round(g - m[i]!)));
    const v1 = round(round(v[i]! * keep2) + round(round(gain2 * g) * g));
    const denominator = round(round(round(Math.sqrt(v1)) / correction2) + small);
    next.parameter[i] = round(parameter[i]! * keep) + round(round(negativeRate * m1) / denominator);
    next.m[i] = m1;
    next.v[i] = v1;
  }
  return next;
}
