// Activations f(x), and their slopes f′(x) times what arrives.
import { type Activation, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { type List, type Program, program, type Thread } from "../program.ts";

declare function f(x: number): number;
declare function slope(x: number): number;

/** 1 / (1 + e^−x) */
function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Φ(x), the normal distribution's: 1/2 + φ(x)·Σ x^(2n+1) / (1·3·5·…), and far out its tail φ(x) / (x + 1/(x + 2/(x + 3/…))), where 1/2 and the sum would cancel.
 * Source: Abramowitz & Stegun 26.2.11, 26.2.14.
 */
function below(x: number): number {
  const density = 0.3989422804014327 * Math.exp((-x * x) / 2);
  const far = Math.abs(x);
  if (far > 2.5) {
    let fraction = far;
    for (let n = 40; n > 0; n--) fraction = far + n / fraction;
    return x > 0 ? 1 - density / fraction : density / fraction;
  }
  let sum = x;
  let term = x;
  for (let k = 1; k < 40; k++) {
    term = (term * x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + density * sum;
}

/** For geluTanh, whose (1 + tanh a)/2 is σ(2·a): 2·a with a = √(2/π)·(x + 0.044715·x³). */
function inner(x: number): number {
  return 1.5957691216057308 * (x + 0.044715 * x * x * x);
}

interface Curve {
  readonly value: Program;
  readonly slope: Program;
}

function curve(value: (x: number) => number, slope: (x: number) => number, ...parts: ((x: number) => number)[]): Curve {
  return {
    // y[i] = f(x[i])
    value: program(
      function (this: Thread, x: List) {
        return f(x[this.thread.x]!);
      },
      value,
      ...parts,
    ),
    // dx[i] = dy[i]·f′(x[i])
    slope: program(
      function (this: Thread, x: List, dy: List) {
        return dy[this.thread.x]! * slope(x[this.thread.x]!);
      },
      slope,
      ...parts,
    ),
  };
}

export const CURVES: Readonly<Record<Activation, Curve>> = {
  relu: curve(
    function f(x) {
      return x > 0 || x !== x ? x : 0.0;
    },
    function slope(x) {
      return x > 0 ? 1.0 : 0.0;
    },
  ),
  silu: curve(
    function f(x) {
      return x * sigmoid(x);
    },
    // σ′ = σ·(1 − σ)
    function slope(x) {
      return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    },
    sigmoid,
  ),
  gelu: curve(
    function f(x) {
      return x * below(x);
    },
    // Φ′ = e^(−x²/2) / √(2π)
    function slope(x) {
      return below(x) + x * Math.exp((-x * x) / 2) * 0.3989422804014327;
    },
    below,
  ),
  geluTanh: curve(
    function f(x) {
      return x * sigmoid(inner(x));
    },
    function slope(x) {
      const s = sigmoid(inner(x));
      return s * (1 + x * (1 - s) * 1.5957691216057308 * (1 + 0.134145 * x * x));
    },
    sigmoid,
    inner,
  ),
};

export const activationKernels = {
  activation: (gpu, [x], [y], { activation }) => gpu.fill(y!, CURVES[activation].value, [sizeOf(y!.shape)], [gpu.values(x!)]),
  activationBackward: (gpu, [x, dy], [dx], { activation }) =>
    gpu.fill(dx!, CURVES[activation].slope, [sizeOf(dx!.shape)], [gpu.values(x!), gpu.values(dy!)]),
} satisfies Partial<KernelTable<Gpu>>;
