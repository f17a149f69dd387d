// RMSNorm, fused and composed of other ops.
import { addScalar, DTypeError, div, mean, mul, rmsNorm, ShapeError, sqrt, square, type Tensor, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, type Row, row } from "../conformance.ts";
import { at, fill, total, type Value } from "../value.ts";

interface Attrs {
  readonly epsilon: number;
}

const reference = ([x, weight]: readonly Value[], { epsilon }: Attrs): Value => {
  const n = x!.shape.at(-1)!;
  const roots = fill([...x!.shape.slice(0, -1), 1], (...r) => Math.sqrt(total(n, (j) => at(x!, ...r.slice(0, -1), j) ** 2) / n + epsilon));
  return fill(x!.shape, (...i) => (at(x!, ...i) / at(roots, ...i)) * at(weight!, i.at(-1)!));
};
const composite = (x: Tensor, weight: Tensor, epsilon: number): Tensor =>
  mul(div(x, sqrt(addScalar(mean(square(x), { axis: -1, keepDims: true }), epsilon))), weight);

const problems = (minWidth: number): fc.Arbitrary<Given<Attrs>> =>
  fc
    .tuple(shapes({ maxRank: 3 }), sizes(11, minWidth), fc.constantFrom(1e-1, 1e-5))
    .chain(([rows, n, epsilon]) => fc.tuple(normals([...rows, n]), normals([n])).map((inputs) => given(inputs, { epsilon })));

const checked = (title: string, run: typeof rmsNorm, minWidth: number): Row<unknown> =>
  row({
    title,
    given: problems(minWidth),
    run: ([x, weight], { epsilon }) => run(x!, weight!, epsilon),
    reference,
    tolerance: { absolute: 2e-6, relative: 5e-6 },
    gradients: [0, 1],
    gradientTolerance: { absolute: 5e-5, relative: 5e-5 },
  });

export const rmsNormCases: CaseTable = {
  cases: [
    checked("divides rows by their root mean square", rmsNorm, 0),
    checked("composite: of square, mean, sqrt and div", composite, 1),
    row({
      title: "takes rows that threads share",
      comparedWithPlain: [0, 1],
      gradientTolerance: { absolute: 5e-5, relative: 5e-5 },
      given: [
        given(
          [fill([211, 201], (r, i) => Math.fround(Math.sin(r! * 201 + i!) * (r! + 0.1))), fill([201], (i) => Math.fround(Math.cos(i!)))],
          { epsilon: 1e-5 },
        ),
      ],
      run: ([x, weight], { epsilon }) => rmsNorm(x!, weight!, epsilon),
      reference,
      tolerance: { absolute: 2e-6, relative: 5e-6 },
    }),
    row({
      title: "goes back through rows of several lanes",
      given: [
        given([fill([3, 21], (r, i) => Math.fround(Math.sin(r! * 37 + i!) * (r! + 0.1))), fill([21], (i) => Math.fround(Math.cos(i!)))], {
          epsilon: 1e-5,
        }),
      ],
      run: ([x, weight], { epsilon }) => rmsNorm(x!, weight!, epsilon),
      reference,
      tolerance: { absolute: 2e-6, relative: 5e-6 },
      gradients: [0, 1],
      gradientTolerance: { absolute: 5e-5, relative: 5e-5 },
    }),
    row({
      title: "a row of zeros stays zero",
      given: [given([fill([2, 4], (r) => r!), fill([4], () => 3)], { epsilon: 1e-6 })],
      run: ([x, weight], { epsilon }) => rmsNorm(x!, weight!, epsilon),
      reference,
    }),
  ],
  refusals: [
    {
      title: "a weight of another width",
      call: (b) => rmsNorm(zeros(b, [2, 3]), zeros(b, [2]), 1e-5),
      error: ShapeError,
      fields: { op: "rmsNorm", shapes: [[2, 3], [2]] },
    },
    {
      title: "a scalar",
      call: (b) => rmsNorm(zeros(b, []), zeros(b, []), 1e-5),
      error: ShapeError,
      fields: { op: "rmsNorm", shapes: [[], []] },
    },
    {
      title: "a weight of 16 bits",
      call: (b) => rmsNorm(zeros(b, [2, 3]), zeros(b, [3], "bf16"), 1e-5),
      error: DTypeError,
      fields: { op: "rmsNorm", dtypes: ["f32", "bf16"] },
    },
  ],
};
