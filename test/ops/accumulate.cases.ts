import { accumulate, DTypeError, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { fill, zip } from "../value.ts";

export const accumulateCases: CaseTable = {
  cases: [
    row({
      title: "adds in place",
      given: shapes().chain((shape) => fc.tuple(normals(shape), normals(shape)).map((inputs) => given(inputs))),
      run: ([y, x]) => {
        accumulate(y!, x!);
        return y!;
      },
      reference: ([y, x]) => zip(y!, x!, (a, b) => a + b),
    }),
    row({
      title: "adds a tensor that threads share, to itself",
      given: [given([fill([70, 301], (i, j) => i! * 301 + j!)])],
      run: ([y]) => {
        accumulate(y!, y!);
        return y!;
      },
      reference: ([y]) => zip(y!, y!, (a, b) => a + b),
    }),
  ],
  refusals: [
    {
      title: "another shape",
      call: (b) => accumulate(zeros(b, [2]), zeros(b, [1])),
      error: ShapeError,
      fields: { op: "accumulate", shapes: [[2], [1]] },
    },
    {
      title: "16 bits",
      call: (b) => accumulate(zeros(b, [2], "bf16"), zeros(b, [2])),
      error: DTypeError,
      fields: { op: "accumulate", dtypes: ["bf16", "f32"] },
    },
  ],
};
