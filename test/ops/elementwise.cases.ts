// Elementwise ops, a row each: any shapes, broadcasting, equal numbers, and tensors that threads share.
import {
  abs,
  add,
  addScalar,
  affine,
  cos,
  DTypeError,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  ShapeError,
  scale,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
  where,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { broadcastable, type Range, shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { at, fill, map, total, zip } from "../value.ts";
import { elementwiseEdges } from "./elementwise-edges.ts";

type One = (x: Tensor) => Tensor;
type Two = (a: Tensor, b: Tensor) => Tensor;

/** 2/√π ∫₀ˣ e^(−t²) dt by Simpson's rule. */
export function erfByIntegral(x: number): number {
  const parts = 400;
  const h = x / parts;
  return (
    ((2 / Math.sqrt(Math.PI)) * h * total(parts + 1, (i) => (i === 0 || i === parts ? 1 : i % 2 ? 4 : 2) * Math.exp(-((i * h) ** 2)))) / 3
  );
}

const one = (name: string, run: One, f: (x: number) => number, range: Range = {}, differentiable = true): Row<unknown> =>
  row({
    title: `${name} of tensors of any shape`,
    given: shapes().chain((shape) => within(shape, range).map((x) => given([x]))),
    run: ([x]) => run(x!),
    reference: ([x]) => map(x!, f),
    ...(differentiable ? { gradients: [0] } : {}),
  });

const two = (name: string, run: Two, f: (a: number, b: number) => number, range: Range = {}): Row<unknown> =>
  row({
    title: `${name} of tensors that broadcast`,
    given: broadcastable(2).chain(([a, b]) => fc.tuple(within(a!), within(b!, range)).map((inputs) => given(inputs))),
    run: ([a, b]) => run(a!, b!),
    reference: ([a, b]) => zip(a!, b!, f),
    gradients: [0, 1],
  });

/** Whole numbers, so that some are equal. */
const comparison = (name: string, run: Two, f: (a: number, b: number) => boolean): Row<unknown> =>
  row({
    title: `${name} of tensors that broadcast, many of them equal`,
    given: broadcastable(2).chain(([a, b]) =>
      fc.tuple(within(a!), within(b!)).map((inputs) => given(inputs.map((v) => map(v, Math.round)))),
    ),
    run: ([a, b]) => run(a!, b!),
    reference: ([a, b]) => zip(a!, b!, (x, y) => (f(x, y) ? 1 : 0)),
  });

const LARGE = [given([fill([167, 257], (i, j) => Math.fround(Math.sin(i! * 257 + j!) + 1.25))])];
const large = (name: string, run: One, f: (x: number) => number): Row<unknown> =>
  row({
    title: `${name} of a tensor that threads share`,
    given: LARGE,
    run: ([x]) => run(x!),
    reference: ([x]) => map(x!, f),
    comparedWithPlain: [0],
  });
const largePair = (title: string, run: Two, f: (a: number, b: number) => number, other: number[]): Row<unknown> =>
  row({
    title,
    given: [given([...LARGE[0]!.inputs, fill(other, (...i) => Math.fround(Math.cos(i.reduce((sum, d) => sum + d, 0))))])],
    run: ([a, b]) => run(a!, b!),
    reference: ([a, b]) => zip(a!, b!, f),
    comparedWithPlain: [0, 1],
    gradientTolerance: { absolute: 5e-4, relative: 2e-5 },
  });

export const elementwiseCases: CaseTable = {
  cases: [
    two("add", add, (a, b) => a + b),
    two("sub", sub, (a, b) => a - b),
    two("mul", mul, (a, b) => a * b),
    two("div", div, (a, b) => a / b, { low: 0.5 }),
    two("maximum", maximum, Math.max),
    two("minimum", minimum, Math.min),
    comparison("greater", greater, (a, b) => a > b),
    comparison("greaterEqual", greaterEqual, (a, b) => a >= b),
    comparison("equal", equal, (a, b) => a === b),
    row({
      title: "where of tensors that broadcast",
      given: broadcastable(3).chain(([m, a, b]) =>
        fc.tuple(within(m!), within(a!), within(b!)).map(([mask, ...rest]) => given([map(mask, (x) => Math.max(x, 0)), ...rest])),
      ),
      run: ([mask, a, b]) => where(mask!, a!, b!),
      reference: ([mask, a, b]) => {
        const { shape } = zip(mask!, zip(a!, b!, Math.max), Math.max);
        return fill(shape, (...i) => (at(mask!, ...i) ? at(a!, ...i) : at(b!, ...i)));
      },
      gradients: [1, 2],
    }),
    row({
      title: "affine of tensors of any shape",
      given: fc
        .tuple(shapes(), fc.constantFrom(0, 1, -0.5, 3), fc.constantFrom(0, -2, 0.25))
        .chain(([shape, factor, offset]) => within(shape).map((x) => given([x], { factor, offset }))),
      run: ([x], { factor, offset }) => affine(x!, factor, offset),
      reference: ([x], { factor, offset }) => map(x!, (v) => v * factor + offset),
      gradients: [0],
    }),
    one(
      "scale",
      (x) => scale(x, 2.5),
      (x) => x * 2.5,
    ),
    one(
      "addScalar",
      (x) => addScalar(x, 2.5),
      (x) => x + 2.5,
    ),
    one("neg", neg, (x) => -x),
    one("abs", abs, Math.abs),
    one("sign", sign, Math.sign, {}, false),
    one("square", square, (x) => x * x),
    one("exp", exp, Math.exp),
    one("log", log, Math.log, { low: 0.25, high: 4 }),
    one("sqrt", sqrt, Math.sqrt, { low: 0.25, high: 4 }),
    one("sin", sin, Math.sin, { low: -7, high: 7 }),
    one("cos", cos, Math.cos, { low: -7, high: 7 }),
    one("tanh", tanh, Math.tanh, { low: -5, high: 5 }),
    one("sigmoid", sigmoid, (x) => 1 / (1 + Math.exp(-x)), { low: -9, high: 9 }),
    one("erf", erf, erfByIntegral, { low: -4, high: 4 }),

    ...elementwiseEdges,
    large("exp", exp, Math.exp),
    large("tanh", tanh, Math.tanh),
    large("square", square, (x) => x * x),
    large("log", log, Math.log),
    large("sqrt", sqrt, Math.sqrt),
    large("sin", sin, Math.sin),
    large("cos", cos, Math.cos),
    large("sigmoid", sigmoid, (x) => 1 / (1 + Math.exp(-x))),
    large("erf", erf, erfByIntegral),
    large(
      "scale",
      (x) => scale(x, 2.5),
      (x) => x * 2.5,
    ),
    largePair("add of a large tensor and another", add, (a, b) => a + b, [167, 257]),
    largePair("mul of a large tensor and a row", mul, (a, b) => a * b, [257]),
    largePair("sub of a large tensor and a column", sub, (a, b) => a - b, [167, 1]),
    largePair("maximum of a large tensor and a number", maximum, Math.max, []),
    largePair("mul of a large tensor repeated along a new axis", mul, (a, b) => a * b, [3, 1, 257]),
  ],
  refusals: [
    {
      title: "shapes that do not broadcast",
      call: (b) => add(zeros(b, [2, 3]), zeros(b, [4])),
      error: ShapeError,
      fields: { op: "add", shapes: [[2, 3], [4]] },
    },
    {
      title: "dtypes other than f32",
      call: (b) => mul(zeros(b, [2]), zeros(b, [2], "bf16")),
      error: DTypeError,
      fields: { op: "mul", dtypes: ["f32", "bf16"] },
    },
    {
      title: "whole numbers in exp",
      call: (b) => exp(tensor(b, [1], [1], "i32")),
      error: DTypeError,
      fields: { op: "exp", dtypes: ["i32"] },
    },
  ],
};
