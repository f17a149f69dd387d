import { DTypeError, logSoftmax, ShapeError, softmax, type Tensor, zeros } from "@qlora-js/core";
import { normals, shapes } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { fill, input, total, type Value } from "../value.ts";

/** x − ln Σ e^x over each row */
function logSoftmaxOf(x: Value): Value {
  const n = x.shape.at(-1)!;
  const rows = Array.from({ length: n === 0 ? 0 : x.data.length / n }, (_, r) => x.data.slice(r * n, (r + 1) * n));
  const data = rows.flatMap((values) => {
    const largest = Math.max(...values);
    const log = Math.log(total(n, (j) => Math.exp(values[j]! - largest)));
    return values.map((v) => v - largest - log);
  });
  return { ...x, data };
}
const softmaxOf = (x: Value): Value => ({ ...x, data: logSoftmaxOf(x).data.map(Math.exp) });

const large = (n: number): Value => fill([165, n], (r, i) => Math.fround(Math.sin(r! * n + i!) * 5));
const rows = (name: string, run: (x: Tensor) => Tensor, f: (x: Value) => Value): Row<unknown>[] => [
  row({
    title: `${name} of rows of any shape`,
    given: shapes({ minRank: 1 }).chain((shape) => normals(shape, 3).map((x) => given([x]))),
    run: ([x]) => run(x!),
    reference: ([x]) => f(x!),
    tolerance: { absolute: 2e-6, relative: 3e-6 },
    gradients: [0],
  }),
  row({
    title: `${name} of large numbers and −∞ does not overflow`,
    given: [given([input([1000, 999, -1000, -1e30, -1e30, -1e30, 0, Number.NEGATIVE_INFINITY, 1], [3, 3])])],
    run: ([x]) => run(x!),
    reference: ([x]) => f(x!),
    tolerance: { absolute: 2e-6, relative: 3e-6 },
  }),
  row({
    title: `${name} of rows that threads share`,
    comparedWithPlain: [0],
    given: [given([large(257)])],
    run: ([x]) => run(x!),
    reference: ([x]) => f(x!),
    tolerance: { absolute: 4e-6, relative: 1e-5 },
  }),
];

export const softmaxCases: CaseTable = {
  cases: [...rows("softmax", softmax, softmaxOf), ...rows("logSoftmax", logSoftmax, logSoftmaxOf)],
  refusals: [
    { title: "a scalar", call: (b) => softmax(zeros(b, [])), error: ShapeError, fields: { op: "softmax", shapes: [[]] } },
    {
      title: "softmax of 16 bits",
      call: (b) => softmax(zeros(b, [2], "f16")),
      error: DTypeError,
      fields: { op: "softmax", dtypes: ["f16"] },
    },
    {
      title: "logSoftmax of whole numbers",
      call: (b) => logSoftmax(zeros(b, [2], "i32")),
      error: DTypeError,
      fields: { op: "logSoftmax", dtypes: ["i32"] },
    },
  ],
};
