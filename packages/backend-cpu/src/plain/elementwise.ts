// Elementwise ops, a row each: the formula in f64, rounded to f32 as it is stored. Inputs broadcast to the output. NaN in gives NaN out, also in maximum,
// minimum and sign; comparisons with NaN give 0.
import type { Kernel, KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { positionsIn } from "./broadcast.ts";

type None = Record<never, never>;

/** A view's values and which of them goes with each element of the output. */
function spread(host: Host, view: View, output: View): { readonly values: Float32Array; readonly at: Int32Array } {
  return { values: host.f32(view), at: positionsIn(view.shape, output.shape) };
}

const one =
  (f: (x: number) => number): Kernel<Host, None> =>
  (host, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const values = host.f32(x);
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = f(values[i]!);
  };

const two =
  (f: (a: number, b: number) => number): Kernel<Host, None> =>
  (host, inputs, outputs) => {
    const [y] = outputs as [View];
    const [a, b] = inputs.map((x) => spread(host, x, y)) as [ReturnType<typeof spread>, ReturnType<typeof spread>];
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = f(a.values[a.at[i]!]!, b.values[b.at[i]!]!);
  };

/**
 * erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5·…·(2n+1)). All terms have one sign, so no digits cancel; beyond 6 it is ±1 in f64.
 * Source: Abramowitz & Stegun 7.1.6.
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = 0;
  for (let n = 0, term = x; Math.abs(term) > Math.abs(sum) * 1e-17; n++, term *= (2 * x * x) / (2 * n + 1)) sum += term;
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const elementwiseKernels = {
  add: two((a, b) => a + b),
  sub: two((a, b) => a - b),
  mul: two((a, b) => a * b),
  div: two((a, b) => a / b),
  maximum: two(Math.max),
  minimum: two(Math.min),
  greater: two((a, b) => (a > b ? 1 : 0)),
  greaterEqual: two((a, b) => (a >= b ? 1 : 0)),
  equal: two((a, b) => (a === b ? 1 : 0)),
  where: (host, inputs, outputs) => {
    const [y] = outputs as [View];
    const [mask, a, b] = inputs.map((x) => spread(host, x, y)) as [
      ReturnType<typeof spread>,
      ReturnType<typeof spread>,
      ReturnType<typeof spread>,
    ];
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = mask.values[mask.at[i]!] !== 0 ? a.values[a.at[i]!]! : b.values[b.at[i]!]!;
  },
  affine: (host, inputs, outputs, { factor, offset }) => one((x) => x * factor + offset)(host, inputs, outputs, {}),
  neg: one((x) => -x),
  abs: one(Math.abs),
  sign: one(Math.sign),
  square: one((x) => x * x),
  exp: one(Math.exp),
  log: one(Math.log),
  sqrt: one(Math.sqrt),
  sin: one(Math.sin),
  cos: one(Math.cos),
  tanh: one(Math.tanh),
  sigmoid: one((x) => 1 / (1 + Math.exp(-x))),
  erf: one(erf),
} satisfies Partial<KernelTable<Host>>;
