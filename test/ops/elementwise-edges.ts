// Where elementwise ops' numbers end: zeros of both signs, infinities, NaN.
import {
  abs,
  cos,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  neg,
  sigmoid,
  sign,
  sin,
  sqrt,
  type Tensor,
  tanh,
  where,
} from "@qlora-js/core";
import { given, type Row, row } from "../conformance.ts";
import { input, type Value } from "../value.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const edge = (name: string, run: (x: Tensor) => Tensor, points: readonly [x: number, y: number][]): Row<unknown> =>
  row({
    title: `${name} at ${points.map(([x]) => (Object.is(x, -0) ? "−0" : x)).join(", ")}`,
    given: [given([input(points.map(([x]) => x))])],
    run: ([x]) => run(x!),
    reference: (): Value => ({ shape: [points.length], dtype: "f32", data: points.map(([, y]) => y) }),
  });
const edge2 = (name: string, run: (a: Tensor, b: Tensor) => Tensor, points: readonly [a: number, b: number, y: number][]): Row<unknown> =>
  row({
    title: `${name} of ${points.map(([a, b]) => `${a} and ${b}`).join(", ")}`,
    given: [given([input(points.map(([a]) => a)), input(points.map(([, b]) => b))])],
    run: ([a, b]) => run(a!, b!),
    reference: (): Value => ({ shape: [points.length], dtype: "f32", data: points.map(([, , y]) => y) }),
  });

export const elementwiseEdges: readonly Row<unknown>[] = [
  edge("exp", exp, [
    [-inf, 0],
    [-200, 0],
    [-0, 1],
    [200, inf],
    [inf, inf],
    [nan, nan],
    [88, Math.exp(88)],
    [-80, Math.exp(-80)],
  ]),
  edge("log", log, [
    [0, -inf],
    [-1, nan],
    [1, 0],
    [inf, inf],
    [nan, nan],
    [1e-38, Math.log(Math.fround(1e-38))],
    [3e38, Math.log(3e38)],
  ]),
  edge("sqrt", sqrt, [
    [0, 0],
    [-1, nan],
    [inf, inf],
    [nan, nan],
  ]),
  edge("sigmoid", sigmoid, [
    [-inf, 0],
    [-200, 0],
    [200, 1],
    [inf, 1],
    [nan, nan],
  ]),
  edge("tanh", tanh, [
    [-inf, -1],
    [-100, -1],
    [100, 1],
    [inf, 1],
    [nan, nan],
    [1e-4, Math.tanh(1e-4)],
  ]),
  edge("erf", erf, [
    [-inf, -1],
    [-9, -1],
    [0, 0],
    [9, 1],
    [inf, 1],
    [nan, nan],
  ]),
  edge("sin", sin, [
    [0, 0],
    [inf, nan],
    [nan, nan],
    [100, Math.sin(100)],
    [-1000, Math.sin(-1000)],
  ]),
  edge("cos", cos, [
    [0, 1],
    [inf, nan],
    [nan, nan],
    [100, Math.cos(100)],
    [-1000, Math.cos(-1000)],
  ]),
  edge("abs", abs, [
    [-0, 0],
    [-inf, inf],
    [nan, nan],
  ]),
  edge("sign", sign, [
    [-3, -1],
    [0, 0],
    [3, 1],
    [-inf, -1],
    [nan, nan],
  ]),
  edge("neg", neg, [
    [inf, -inf],
    [nan, nan],
    [3, -3],
  ]),
  edge2("div", div, [
    [1, 0, inf],
    [-1, 0, -inf],
    [0, 0, nan],
    [1, inf, 0],
  ]),
  edge2("maximum", maximum, [
    [nan, 1, nan],
    [1, nan, nan],
    [-inf, inf, inf],
    [2, 2, 2],
  ]),
  edge2("minimum", minimum, [
    [nan, 1, nan],
    [1, nan, nan],
    [-inf, inf, -inf],
    [2, 2, 2],
  ]),
  edge2("greater", greater, [
    [nan, 1, 0],
    [1, nan, 0],
    [inf, 1, 1],
  ]),
  edge2("greaterEqual", greaterEqual, [
    [nan, 1, 0],
    [1, nan, 0],
    [inf, inf, 1],
  ]),
  edge2("equal", equal, [
    [nan, nan, 0],
    [0, -0, 1],
    [inf, inf, 1],
  ]),

  row({
    title: "where takes the first wherever the mask is not 0: negative, tiny, NaN",
    given: [given([input([0, -0, -1, 1e-30, nan, inf]), input([1, 1, 1, 1, 1, 1]), input([2, 2, 2, 2, 2, 2])])],
    run: ([mask, a, b]) => where(mask!, a!, b!),
    reference: () => input([2, 2, 1, 1, 1, 1]),
  }),
];
