// Activations and their gradients. Each but relu is f(x) = x·s(x), with s = σ(x) for silu, Φ(x) for gelu, and for its approximation, whose (1 + tanh a)/2 is
// σ(2·a), s = σ(b) with b = √(8/π)·(x + 0.044715·x³).
import { type Activation, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { MATH } from "./math.ts";

/** WGSL of a function and its slope. */
export interface Curve {
  /** Functions that the rest calls; among them `share(x)`, s. */
  readonly functions: string;
  /** f(x), of x and s. */
  readonly value: string;
  /** dy·f′(x), of x, s and an expression for dy. */
  readonly back: (dy: string) => string;
}

// σ′ = σ·(1 − σ)     Φ′ = e^(−x²/2)/√(2π)
export const CURVES: Readonly<Record<Activation, Curve>> = {
  relu: {
    functions: "fn share(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }",
    value: "select(x, 0.0, x <= 0.0)",
    back: (dy) => `${dy} * s`,
  },
  silu: {
    functions: `${MATH.sigmoid}\nfn share(x: f32) -> f32 { return sigmoid(x); }`,
    value: "x * s",
    back: (dy) => `${dy} * s * (1.0 + x * (1.0 - s))`,
  },
  gelu: {
    functions: `${MATH.erf}\nfn share(x: f32) -> f32 { return 0.5 * (1.0 + erf(x * 0.7071067811865476)); }`,
    value: "x * s",
    back: (dy) => `${dy} * (s + x * (exp_(-0.5 * x * x) * 0.3989422804014327))`,
  },
  geluTanh: {
    functions: `${MATH.sigmoid}\nfn share(x: f32) -> f32 { return sigmoid(1.5957691216057308 * (x * (1.0 + 0.044715 * (x * x)))); }`,
    value: "x * s",
    back: (dy) => `${dy} * s * (1.0 + x * (1.0 - s) * (1.5957691216057308 * (1.0 + 0.134145 * (x * x))))`,
  },
};

export const activationKernels = {
  // y = f(x)
  activation: (gpu, inputs, outputs, { activation }) => {
    const [a] = inputs as [View];
    const [y] = outputs as [View];
    const { functions, value } = CURVES[activation];
    gpu.dispatch({
      name: "activation",
      constants: { activation },
      reads: { a },
      writes: { y },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `${functions}
fn thread(i: u32) {
  let x = a[i];
  let s = share(x);
  y[i] = ${value};
}`,
    });
  },
  // dx = dy·f′(x)
  activationBackward: (gpu, inputs, outputs, { activation }) => {
    const [a, dy] = inputs as [View, View];
    const [dx] = outputs as [View];
    const { functions, back } = CURVES[activation];
    gpu.dispatch({
      name: "activationBackward",
      constants: { activation },
      reads: { a, dy },
      writes: { dx },
      grid: { threads: sizeOf(dx.shape) },
      wgsl: () => `${functions}
fn thread(i: u32) {
  let x = a[i];
  let s = share(x);
  dx[i] = ${back("dy[i]")};
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
