// Activations and their slopes: f(x) and f′(x).
import type { Activation, KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { erf } from "./elementwise.ts";

interface Curve {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** Φ(x), the normal distribution's. */
const below = (x: number): number => (1 + erf(x * Math.SQRT1_2)) / 2;
/** For geluTanh, whose (1 + tanh a)/2 is σ(2·a): 2·a, and its slope. */
const inner = (x: number): number => Math.sqrt(8 / Math.PI) * (x + 0.044715 * x ** 3);
const innerSlope = (x: number): number => Math.sqrt(8 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);

export const CURVES: Readonly<Record<Activation, Curve>> = {
  relu: { value: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) },
  // σ′ = σ·(1 − σ)
  silu: { value: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  // Φ′ = e^(−x²/2) / √(2π)
  gelu: { value: (x) => x * below(x), slope: (x) => below(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI) },
  geluTanh: {
    value: (x) => x * sigmoid(inner(x)),
    slope: (x) => sigmoid(inner(x)) * (1 + x * (1 - sigmoid(inner(x))) * innerSlope(x)),
  },
};

export const activationKernels = {
  activation: (host, inputs, outputs, { activation }) => {
    const x = host.f32(inputs[0]!);
    host.f32(outputs[0]!).set(x.map(CURVES[activation].value));
  },
  activationBackward: (host, inputs, outputs, { activation }) => {
    const [x, dy] = inputs.map((view: View) => host.f32(view)) as [Float32Array, Float32Array];
    host.f32(outputs[0]!).set(x.map((value, i) => dy[i]! * CURVES[activation].slope(value)));
  },
} satisfies Partial<KernelTable<Host>>;
