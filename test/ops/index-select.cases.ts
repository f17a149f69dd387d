// Rows by id, in any order and more than once; from f32, bf16 and f16.
import { ArgumentError, DTypeError, embedding, indexAdd, indexSelect, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, total, type Value } from "../value.ts";

const picks = (dtype: "f32" | "bf16" | "f16"): fc.Arbitrary<Given<object>> =>
  fc
    .tuple(sizes(6, 1), shapes({ maxRank: 2, maxSize: 4 }), shapes({ maxRank: 2, maxSize: 4 }))
    .chain(([rows, rest, idShape]) => fc.tuple(normals([rows, ...rest], 1, dtype), ids(idShape, rows)).map((inputs) => given(inputs)));

const select = ([x, index]: readonly Value[]): Value =>
  fill([...index!.shape, ...x!.shape.slice(1)], (...i) =>
    at(x!, at(index!, ...i.slice(0, index!.shape.length)), ...i.slice(index!.shape.length)),
  );

export const indexSelectCases: CaseTable = {
  cases: [
    row({
      title: "indexSelect picks rows of f32",
      given: picks("f32"),
      run: ([x, index]) => indexSelect(x!, index!),
      reference: select,
      gradients: [0],
    }),
    ...(["bf16", "f16"] as const).map((dtype) =>
      row({
        title: `embedding widens rows of ${dtype}`,
        given: picks(dtype),
        run: ([x, index]) => embedding(index!, x!),
        reference: select,
      }),
    ),
    row({
      title: "indexAdd adds rows that share an id",
      given: fc
        .tuple(sizes(5, 1), shapes({ maxRank: 2, maxSize: 4 }), shapes({ maxRank: 2, maxSize: 4 }))
        .chain(([rows, rest, idShape]) =>
          fc.tuple(normals([...idShape, ...rest]), ids(idShape, rows)).map((inputs) => given(inputs, { rows })),
        ),
      run: ([x, index], { rows }) => indexAdd(x!, index!, rows),
      reference: ([x, index], { rows }) => {
        const rest = x!.shape.slice(index!.shape.length);
        const flat = { ...x!, shape: [index!.data.length, ...rest] };
        return fill([rows, ...rest], (r, ...i) => total(index!.data.length, (j) => (index!.data[j] === r ? at(flat, j, ...i) : 0)));
      },
      gradients: [0],
    }),
    ...(["f32", "bf16", "f16"] as const).map((dtype) =>
      row({
        title: `indexSelect picks rows of ${dtype} that threads share`,
        given: [given([fill([50, 133], (r, i) => ((r! * 133 + i!) % 251) / 8, dtype), fill([400], (j) => (j! * 37) % 41, "i32")])],
        run: ([x, index]) => indexSelect(x!, index!),
        reference: select,
        ...(dtype === "f32" ? { comparedWithPlain: [0] } : {}),
      }),
    ),
  ],
  refusals: [
    {
      title: "ids that are not i32",
      call: (b) => indexSelect(zeros(b, [2, 3]), zeros(b, [2])),
      error: DTypeError,
      fields: { op: "indexSelect", dtypes: ["f32"] },
    },
    {
      title: "rows of whole numbers",
      call: (b) => indexSelect(zeros(b, [2, 3], "u8"), zeros(b, [2], "i32")),
      error: DTypeError,
      fields: { op: "indexSelect", dtypes: ["u8"] },
    },
    {
      title: "a scalar",
      call: (b) => indexSelect(zeros(b, []), zeros(b, [2], "i32")),
      error: ShapeError,
      fields: { op: "indexSelect", shapes: [[]] },
    },
    {
      title: "rows that do not begin with the ids' shape",
      call: (b) => indexAdd(zeros(b, [2, 3]), zeros(b, [3], "i32"), 4),
      error: ShapeError,
      fields: { op: "indexAdd", shapes: [[2, 3], [3]] },
    },
    {
      title: "a number of rows that is none",
      call: (b) => indexAdd(zeros(b, [2, 3]), zeros(b, [2], "i32"), -1),
      error: ArgumentError,
      fields: { op: "indexAdd", argument: "rows", value: -1 },
    },
  ],
};
