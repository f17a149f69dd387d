// Activations, fused and composed of elementwise ops.
import {
  addScalar,
  DTypeError,
  erf,
  gelu,
  geluTanh,
  greater,
  mul,
  relu,
  scale,
  sigmoid,
  silu,
  square,
  type Tensor,
  tanh,
  zeros,
} from "@qlora-js/core";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { fill, input, map } from "../value.ts";
import { erfByIntegral } from "./elementwise.cases.ts";

/** The same in float64, by name. */
export const CURVES = {
  relu: (x: number): number => Math.max(x, 0),
  silu: (x: number): number => x / (1 + Math.exp(-x)),
  gelu: (x: number): number => (Math.abs(x) > 8 ? Math.max(x, 0) : (x / 2) * (1 + erfByIntegral(x / Math.SQRT2))),
  geluTanh: (x: number): number => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

export const COMPOSITES: Readonly<Record<keyof typeof CURVES, (x: Tensor) => Tensor>> = {
  relu: (x) => mul(x, greater(x, scale(x, 0))),
  silu: (x) => mul(x, sigmoid(x)),
  gelu: (x) => mul(scale(x, 0.5), addScalar(erf(scale(x, Math.SQRT1_2)), 1)),
  geluTanh: (x) => {
    const inner = scale(mul(x, addScalar(scale(square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI));
    return mul(scale(x, 0.5), addScalar(tanh(inner), 1));
  },
};
const FUSED = { relu, silu, gelu, geluTanh };
const names = Object.keys(CURVES) as (keyof typeof CURVES)[];

const checked = (title: string, name: keyof typeof CURVES, run: (x: Tensor) => Tensor): Row<unknown> =>
  row({
    title,
    given: shapes().chain((shape) => within(shape, { low: -6, high: 6 }).map((x) => given([x]))),
    run: ([x]) => run(x!),
    reference: ([x]) => map(x!, CURVES[name]),
    gradients: [0],
  });

export const activationCases: CaseTable = {
  cases: names.flatMap((name) => [
    checked(`${name} of tensors of any shape`, name, FUSED[name]),
    checked(`composite: ${name}`, name, COMPOSITES[name]),
    row({
      title: `${name} of a tensor that threads share`,
      comparedWithPlain: [0],
      given: [given([fill([165, 257], (i, j) => Math.fround(Math.sin(i! * 257 + j!) * 5))])],
      run: ([x]) => FUSED[name](x!),
      reference: ([x]) => map(x!, CURVES[name]),
    }),
    row({
      title: `${name} goes to 0 and to x far from 0`,
      given: [given([input([-1e4, -100, -30, -12, 12, 30, 100, 1e4])])],
      run: ([x]) => FUSED[name](x!),
      reference: ([x]) => map(x!, CURVES[name]),
      gradients: [0],
    }),
    row({
      title: `${name} of NaN is NaN`,
      given: [given([input([Number.NaN, 1])])],
      run: ([x]) => FUSED[name](x!),
      reference: ([x]) => map(x!, (v) => (Number.isNaN(v) ? v : CURVES[name](v))),
    }),
  ]),
  refusals: names.map((name) => ({
    title: `16 bits for ${name}`,
    call: (b) => FUSED[name](zeros(b, [2], "bf16")),
    error: DTypeError,
    fields: { op: "activation", dtypes: ["bf16"] },
  })),
};
