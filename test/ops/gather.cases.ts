import { DTypeError, gather, ShapeError, scatter, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { at, fill } from "../value.ts";

export const gatherCases: CaseTable = {
  cases: [
    row({
      title: "gather picks one element a row",
      given: fc
        .tuple(shapes({ maxRank: 3 }), sizes(7, 1))
        .chain(([rows, n]) => fc.tuple(normals([...rows, n]), ids(rows, n)).map((inputs) => given(inputs))),
      run: ([x, index]) => gather(x!, index!),
      reference: ([x, index]) => fill(index!.shape, (...r) => at(x!, ...r, at(index!, ...r))),
      gradients: [0],
    }),
    row({
      title: "scatter puts one element into a row of zeros",
      given: fc
        .tuple(shapes({ maxRank: 3 }), sizes(7, 1))
        .chain(([rows, size]) => fc.tuple(normals(rows), ids(rows, size)).map((inputs) => given(inputs, { size }))),
      run: ([x, index], { size }) => scatter(x!, index!, size),
      reference: ([x, index], { size }) =>
        fill([...x!.shape, size], (...i) => (at(index!, ...i.slice(0, -1)) === i.at(-1) ? at(x!, ...i.slice(0, -1)) : 0)),
      gradients: [0],
    }),
    row({
      title: "gather and scatter rows that threads share",
      given: [given([fill([40_003, 3], (r, i) => r! - i!), fill([40_003], (r) => r! % 3, "i32")])],
      run: ([x, index]) => {
        const picked = gather(x!, index!);
        return [picked, scatter(picked, index!, 4)];
      },
      reference: ([x, index]) => [
        fill(index!.shape, (r) => at(x!, r!, at(index!, r!))),
        fill([40_003, 4], (r, i) => (at(index!, r!) === i ? at(x!, r!, i!) : 0)),
      ],
      comparedWithPlain: [0],
    }),
  ],
  refusals: [
    {
      title: "positions that are not one a row",
      call: (b) => gather(zeros(b, [2, 3]), zeros(b, [3], "i32")),
      error: ShapeError,
      fields: { op: "gather", shapes: [[2, 3], [3]] },
    },
    {
      title: "positions that are not i32",
      call: (b) => gather(zeros(b, [2, 3]), zeros(b, [2])),
      error: DTypeError,
      fields: { op: "gather", dtypes: ["f32", "f32"] },
    },
    {
      title: "to scatter whole numbers",
      call: (b) => scatter(zeros(b, [2], "i32"), zeros(b, [2], "i32"), 4),
      error: DTypeError,
      fields: { op: "scatter", dtypes: ["i32", "i32"] },
    },
  ],
};
