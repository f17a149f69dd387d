// Reductions over any axes, kept or not; empty ones too.
import {
  ArgumentError,
  argmax,
  broadcastShapes,
  broadcastTo,
  DTypeError,
  max,
  mean,
  type ReduceOptions,
  ShapeError,
  sum,
  sumTo,
  type Tensor,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { broadcastable, shapes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, type Row, row } from "../conformance.ts";
import { at, fill, input, type Value } from "../value.ts";

/** The values that each element of the result is made of. */
function reduced(x: Value, { axis, keepDims = false }: ReduceOptions, f: (values: number[]) => number): Value {
  const rank = x.shape.length;
  const axes = axis === undefined ? x.shape.map((_, d) => d) : [axis].flat().map((d) => (d < 0 ? d + rank : d));
  const inner = x.shape.map((size, d) => (axes.includes(d) ? size : 1));
  const kept = fill(
    x.shape.map((size, d) => (axes.includes(d) ? 1 : size)),
    (...outer) => f(fill(inner, (...i) => at(x, ...outer.map((o, d) => o + i[d]!))).data as number[]),
  );
  return keepDims ? kept : { ...kept, shape: x.shape.filter((_, d) => !axes.includes(d)) };
}

const anyAxes = (minSize: number): fc.Arbitrary<Given<ReduceOptions>> =>
  shapes({ minSize }).chain((shape) =>
    fc
      .tuple(
        within(shape),
        fc.boolean(),
        fc.option(fc.subarray(shape.map((_, d) => d).flatMap((d) => (d % 2 ? [d] : [d - shape.length]))), { nil: undefined }),
      )
      .map(([x, keepDims, axis]) => given([x], axis ? { keepDims, axis } : { keepDims })),
  );

const reduction = (
  name: string,
  run: (x: Tensor, options: ReduceOptions) => Tensor,
  f: (values: number[]) => number,
  minSize = 0,
): Row<unknown> =>
  row({
    title: `${name} over any axes`,
    given: anyAxes(minSize),
    run: ([x], options) => run(x!, options),
    reference: ([x], options) => reduced(x!, options, f),
    tolerance: { absolute: 5e-6, relative: 2e-6 },
    gradients: [0],
  });

/** Many rows, many columns, and many of both around a middle axis; of single digits, so that sums are exact. */
const LARGE = [
  [210, 3, 40],
  [2, 211, 97],
  [31, 30, 29],
  [1, 1, 70_001],
].map((shape) => fill(shape, (i, j, k) => ((i! * 7 + j! * 13 + k! * 29) % 17) - 8));

const add = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
/** By turns: as arguments of one call, as many values as a row has are more than a worker of a browser has room for. */
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

export const reduceCases: CaseTable = {
  cases: [
    reduction("sum", sum, add),
    reduction("mean", mean, (values) => add(values) / values.length, 1),
    reduction("max", max, largest),
    ...(
      [
        ["sum", sum, add],
        ["max", max, (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))],
      ] as const
    ).map(([name, run, f]) =>
      row({
        title: `${name} of a large tensor over each axis`,
        given: LARGE.flatMap((x) => [0, 1, 2, [0, 2], undefined].map((axis) => given([x], axis === undefined ? {} : { axis }))),
        run: ([x], options: ReduceOptions) => run(x!, options),
        reference: ([x], options) => reduced(x!, options, f),
        tolerance: { absolute: 1e-4, relative: 1e-5 },
        comparedWithPlain: [0],
      }),
    ),
    row({
      title: "argmax of rows that threads share",
      given: LARGE.map((x) => given([x])),
      run: ([x]) => argmax(x!),
      reference: ([x]) => ({ ...reduced(x!, { axis: -1 }, (values) => values.indexOf(largest(values))), dtype: "i32" }),
    }),
    row({
      title: "max with NaN is NaN, of nothing −∞",
      given: [given([input([1, nan, 3, 4, -inf, -2], [3, 2])]), given([input([], [2, 0])])],
      run: ([x]) => max(x!, { axis: 1 }),
      reference: ([x]) => reduced(x!, { axis: 1 }, largest),
    }),
    row({
      title: "sumTo and broadcastTo between shapes that broadcast",
      given: broadcastable(2).chain(([small, other]) => {
        const whole = broadcastShapes("whole", small!, other!);
        return fc.tuple(within(whole), within(small!)).map(([x, y]) => given([x, y], { small: small!, whole }));
      }),
      run: ([x, y], { small, whole }) => [sumTo(x!, small), broadcastTo(y!, whole)],
      reference: ([x, y], { small, whole }) => {
        const rank = whole.length;
        const axis = whole.map((_, d) => d).filter((d) => (small[small.length - rank + d] ?? 1) === 1 && whole[d] !== 1);
        const lead = rank - small.length;
        const sums = reduced(x!, { axis, keepDims: true }, add);
        return [{ ...sums, shape: sums.shape.slice(lead) }, fill(whole, (...i) => at(y!, ...i))];
      },
      tolerance: { absolute: 5e-6, relative: 2e-6 },
      gradients: [0, 1],
    }),
    row({
      title: "argmax of rows",
      given: shapes({ minRank: 1, minSize: 0 }).chain((shape) =>
        within([...shape.slice(0, -1), (shape.at(-1) ?? 0) + 1]).map((x) => given([x])),
      ),
      run: ([x]) => argmax(x!),
      reference: ([x]) => ({ ...reduced(x!, { axis: -1 }, (values) => values.indexOf(largest(values))), dtype: "i32" }),
    }),
    row({
      title: "argmax takes the first of equals, and NaN before all others",
      given: [given([input([2, 7, 7, 1, nan, 9, -inf, -inf, -inf, nan, 1, nan], [4, 3])])],
      run: ([x]) => argmax(x!),
      reference: () => input([1, 1, 0, 0], [4], "i32"),
    }),
  ],
  refusals: [
    {
      title: "an axis that is not there",
      call: (b) => sum(zeros(b, [2, 3]), { axis: 2 }),
      error: ShapeError,
      fields: { op: "sum", shapes: [[2, 3]] },
    },
    { title: "whole numbers in max", call: (b) => max(zeros(b, [2], "i32")), error: DTypeError, fields: { op: "maxTo", dtypes: ["i32"] } },
    {
      title: "to repeat into a shape that does not fit",
      call: (b) => broadcastTo(zeros(b, [2]), [3]),
      error: ShapeError,
      fields: { op: "broadcastTo" },
    },
    { title: "argmax of empty rows", call: (b) => argmax(zeros(b, [2, 0])), error: ArgumentError, fields: { op: "argmax", argument: "x" } },
    { title: "argmax of a scalar", call: (b) => argmax(zeros(b, [])), error: ArgumentError, fields: { op: "argmax", argument: "x" } },
  ],
};
