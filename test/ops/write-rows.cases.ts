import { ArgumentError, DTypeError, ShapeError, writeRows, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { at, fill } from "../value.ts";

export const writeRowsCases: CaseTable = {
  cases: [
    row({
      title: "writes rows into a cache from a position on, and nothing else",
      given: fc
        .record({ batch: sizes(3), start: sizes(4), time: sizes(4), spare: sizes(3), rest: shapes({ maxRank: 2, maxSize: 4 }) })
        .chain(({ batch, start, time, spare, rest }) =>
          fc
            .tuple(normals([batch, start + time + spare, ...rest]), normals([batch, time, ...rest]))
            .map((inputs) => given(inputs, { start })),
        ),
      run: ([cache, rows], { start }) => {
        writeRows(cache!, rows!, start);
        return cache!;
      },
      reference: ([cache, rows], { start }) =>
        fill(cache!.shape, (b, t, ...rest) => {
          const inside = t! >= start && t! < start + rows!.shape[1]!;
          return inside ? at(rows!, b!, t! - start, ...rest) : at(cache!, b!, t!, ...rest);
        }),
      tolerance: { absolute: 0, relative: 0 },
    }),
  ],
  refusals: [
    {
      title: "rows beyond the cache",
      call: (b) => writeRows(zeros(b, [1, 3, 2]), zeros(b, [1, 2, 2]), 2),
      error: ArgumentError,
      fields: { op: "writeRows", argument: "start", value: 2 },
    },
    {
      title: "rows of another width",
      call: (b) => writeRows(zeros(b, [1, 3, 2]), zeros(b, [1, 2, 3]), 0),
      error: ShapeError,
      fields: {
        op: "writeRows",
        shapes: [
          [1, 3, 2],
          [1, 2, 3],
        ],
      },
    },
    {
      title: "rows of 16 bits",
      call: (b) => writeRows(zeros(b, [1, 3, 2]), zeros(b, [1, 2, 2], "bf16"), 0),
      error: DTypeError,
      fields: { op: "writeRows", dtypes: ["f32", "bf16"] },
    },
  ],
};
