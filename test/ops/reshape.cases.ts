import { mul, reshape, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";

export const reshapeCases: CaseTable = {
  cases: [
    row({
      title: "keeps the values under another shape",
      given: shapes({ minSize: 1 }).chain((shape) =>
        fc.tuple(within(shape), fc.shuffledSubarray([...shape], { minLength: shape.length })).map(([x, to]) => given([x], { to })),
      ),
      run: ([x], { to }) => reshape(mul(x!, x!), to),
      reference: ([x], { to }) => ({ ...x!, shape: to, data: x!.data.map((v) => v * v) }),
      gradients: [0],
    }),
    row({
      title: "fills in one open size",
      given: [
        [
          [2, 3, 4],
          [-1, 6],
          [4, 6],
        ],
        [[2, 3, 4], [-1], [24]],
        [[], [-1], [1]],
        [
          [0, 3],
          [-1, 3],
          [0, 3],
        ],
        [[6], [2, -1, 3], [2, 1, 3]],
      ].map(([from, to, want]) =>
        given([{ shape: from!, dtype: "f32", data: Array.from({ length: from!.reduce((n, d) => n * d, 1) }, (_, i) => i) }], {
          to: to!,
          want: want!,
        }),
      ),
      run: ([x], { to }) => reshape(x!, to),
      reference: ([x], { want }) => ({ ...x!, shape: want }),
      gradients: [0],
    }),
  ],
  refusals: [
    {
      title: "another number of elements",
      call: (b) => reshape(zeros(b, [2, 3]), [4]),
      error: ShapeError,
      fields: { op: "reshape", shapes: [[2, 3], [4]] },
    },
    { title: "two open sizes", call: (b) => reshape(zeros(b, [4]), [-1, -1]), error: ShapeError, fields: { op: "reshape" } },
    {
      title: "an open size that does not divide",
      call: (b) => reshape(zeros(b, [5]), [2, -1]),
      error: ShapeError,
      fields: { op: "reshape" },
    },
    { title: "an open size beside 0", call: (b) => reshape(zeros(b, [0]), [0, -1]), error: ShapeError, fields: { op: "reshape" } },
    { title: "negative sizes", call: (b) => reshape(zeros(b, [4]), [-2, -2]), error: ShapeError, fields: { op: "reshape" } },
  ],
};
