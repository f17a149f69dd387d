// Rotary positions: pairs (i, i + R/2) of each head turned by the angle of their position; what lies beyond R stays.
import { DTypeError, rope, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, sizes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, map, type Value } from "../value.ts";

const reference = ([x, cos, sin, positions]: readonly Value[]): Value => {
  const half = cos!.shape[1]!;
  return fill(x!.shape, (b, t, h, i) => {
    const own = at(x!, b!, t!, h!, i!);
    if (i! >= 2 * half) return own;
    const p = at(positions!, b!, t!);
    const first = i! < half;
    const other = at(x!, b!, t!, h!, first ? i! + half : i! - half);
    return own * at(cos!, p, i! % half) + (first ? -other : other) * at(sin!, p, i! % half);
  });
};

const problems: fc.Arbitrary<Given<object>> = fc
  .record({ batch: sizes(3), time: sizes(5), heads: sizes(3), half: sizes(4), rest: sizes(3), table: sizes(6, 1) })
  .chain(({ batch, time, heads, half, rest, table }) =>
    fc
      .tuple(normals([batch, time, heads, 2 * half + rest]), within([table, half], { low: 0, high: 7 }), ids([batch, time], table))
      .map(([x, angles, positions]) =>
        given([x, map(angles, (a) => Math.fround(Math.cos(a))), map(angles, (a) => Math.fround(Math.sin(a))), positions]),
      ),
  );

const angle = (p: number, i: number): number => p * 10000 ** (-i / 16);
const LARGE = given([
  fill([2, 165, 5, 32], (b, t, h, i) => Math.fround(Math.sin(b! + t! * 3 + h! * 7 + i!))),
  fill([170, 16], (p, i) => Math.fround(Math.cos(angle(p!, i!)))),
  fill([170, 16], (p, i) => Math.fround(Math.sin(angle(p!, i!)))),
  fill([2, 165], (b, t) => b! * 4 + t!, "i32"),
]);

export const ropeCases: CaseTable = {
  cases: [
    row({
      title: "turns halves of each head against each other",
      given: problems,
      run: ([x, cos, sin, positions]) => rope(x!, cos!, sin!, positions!),
      reference,
      gradients: [0],
    }),
    row({
      title: "turns a batch that threads share",
      comparedWithPlain: [0],
      given: [LARGE],
      run: ([x, cos, sin, positions]) => rope(x!, cos!, sin!, positions!),
      reference,
    }),
  ],
  refusals: [
    {
      title: "x of rank 3",
      call: (b) => rope(zeros(b, [1, 2, 4]), zeros(b, [3, 2]), zeros(b, [3, 2]), zeros(b, [1, 2], "i32")),
      error: ShapeError,
      fields: {
        op: "rope",
        shapes: [
          [1, 2, 4],
          [3, 2],
          [3, 2],
          [1, 2],
        ],
      },
    },
    {
      title: "tables wider than half a head",
      call: (b) => rope(zeros(b, [1, 2, 1, 4]), zeros(b, [3, 3]), zeros(b, [3, 3]), zeros(b, [1, 2], "i32")),
      error: ShapeError,
      fields: { op: "rope" },
    },
    {
      title: "positions of another shape",
      call: (b) => rope(zeros(b, [1, 2, 1, 4]), zeros(b, [3, 2]), zeros(b, [3, 2]), zeros(b, [2], "i32")),
      error: ShapeError,
      fields: { op: "rope" },
    },
    {
      title: "positions that are not i32",
      call: (b) => rope(zeros(b, [1, 2, 1, 4]), zeros(b, [3, 2]), zeros(b, [3, 2]), zeros(b, [1, 2])),
      error: DTypeError,
      fields: { op: "rope", dtypes: ["f32", "f32", "f32", "f32"] },
    },
  ],
};
