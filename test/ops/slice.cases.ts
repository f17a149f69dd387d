import { ArgumentError, type DType, pad, ShapeError, slice, split, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, sizes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, map, type Value } from "../value.ts";

interface Part {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

const parts = (dtype: DType): fc.Arbitrary<Given<Part>> =>
  fc.tuple(shapes({ minRank: 1 }), fc.nat(), fc.nat(), fc.nat(), fc.boolean()).chain(([shape, nth, from, size, fromEnd]) => {
    const d = nth % shape.length;
    const start = from % (shape[d]! + 1);
    const end = start + (size % (shape[d]! - start + 1));
    return within(shape, { low: 0, high: 200 }).map((x) =>
      given([{ ...map(x, Math.floor), dtype }], { axis: fromEnd ? d - shape.length : d, start, end }),
    );
  });

const axisOf = (x: Value, axis: number): number => (axis < 0 ? axis + x.shape.length : axis);
const sliced = (x: Value, { axis, start, end }: Part): Value => {
  const d = axisOf(x, axis);
  return fill(x.shape.with(d, end - start), (...i) => at({ ...x }, ...i.with(d, i[d]! + start)), x.dtype);
};

const padded = (x: Value, { axis, before, after }: { axis: number; before: number; after: number }): Value => {
  const d = axisOf(x, axis);
  const inside = (i: number): boolean => i >= before && i < before + x.shape[d]!;
  return fill(x.shape.with(d, before + x.shape[d]! + after), (...i) => (inside(i[d]!) ? at(x, ...i.with(d, i[d]! - before)) : 0), x.dtype);
};

export const sliceCases: CaseTable = {
  cases: [
    ...(["f32", "bf16", "i32", "u8"] as const).map((dtype) =>
      row({
        title: `slice takes a part of ${dtype} along any axis`,
        given: parts(dtype),
        run: ([x], { axis, start, end }) => slice(x!, axis, start, end),
        reference: ([x], part) => sliced(x!, part),
        ...(dtype === "f32" ? { gradients: [0] } : {}),
      }),
    ),
    ...(["f32", "u8"] as const).map((dtype) =>
      row({
        title: `pad puts zeros around ${dtype} along any axis`,
        given: fc
          .tuple(parts(dtype), sizes(3), sizes(3))
          .map(([{ inputs, attrs }, before, after]) => given(inputs, { axis: attrs.axis, before, after })),
        run: ([x], { axis, before, after }) => pad(x!, axis, before, after),
        reference: ([x], attrs) => padded(x!, attrs),
        ...(dtype === "f32" ? { gradients: [0] } : {}),
      }),
    ),
    row({
      title: "slice takes a part that threads share",
      given: [0, 1].map((axis) => given([fill([230, 231], (i, j) => i! * 231 + j!)], { axis, start: 3, end: 210 })),
      run: ([x], { axis, start, end }) => slice(x!, axis, start, end),
      reference: ([x], part) => sliced(x!, part),
      comparedWithPlain: [0],
    }),
    row({
      title: "split cuts an axis into parts",
      given: parts("f32").map(({ inputs, attrs: { axis, start, end } }) => {
        const size = inputs[0]!.shape[axisOf(inputs[0]!, axis)]!;
        return given(inputs, { axis, sizes: [start, end - start, size - end] });
      }),
      run: ([x], { axis, sizes: all }) => split(x!, axis, all),
      reference: ([x], { axis, sizes: all }) => {
        let end = 0;
        return all.map((size) => {
          end += size;
          return sliced(x!, { axis, start: end - size, end });
        });
      },
      gradients: [0],
    }),
  ],
  refusals: [
    {
      title: "a part beyond the axis",
      call: (b) => slice(zeros(b, [2, 3]), 1, 2, 4),
      error: ArgumentError,
      fields: { op: "slice", argument: "start", value: [2, 2] },
    },
    {
      title: "a part that ends before it starts",
      call: (b) => slice(zeros(b, [4]), 0, 3, 2),
      error: ArgumentError,
      fields: { op: "slice", value: [3, -1] },
    },
    {
      title: "an axis that is not there",
      call: (b) => slice(zeros(b, [4]), 1, 0, 1),
      error: ShapeError,
      fields: { op: "slice", shapes: [[4]] },
    },
    { title: "less than no zeros", call: (b) => pad(zeros(b, [4]), 0, -1, 0), error: ArgumentError, fields: { op: "pad", value: [-1, 0] } },
    {
      title: "parts that do not add up",
      call: (b) => split(zeros(b, [4]), 0, [1, 2]),
      error: ArgumentError,
      fields: { op: "split", argument: "sizes", value: [1, 2] },
    },
  ],
};
