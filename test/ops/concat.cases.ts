import { ArgumentError, concat, type DType, DTypeError, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, sizes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, map, type Value } from "../value.ts";

const joins = (dtype: DType): fc.Arbitrary<Given<{ axis: number }>> =>
  fc
    .tuple(shapes({ minRank: 1, maxSize: 4 }), fc.nat(), fc.boolean(), fc.array(sizes(4), { minLength: 1, maxLength: 4 }))
    .chain(([shape, nth, fromEnd, parts]) => {
      const axis = nth % shape.length;
      const inputs = parts.map((size) =>
        within(shape.with(axis, size), { low: 0, high: 200 }).map((x) => ({ ...map(x, Math.floor), dtype })),
      );
      return fc.tuple(...inputs).map((all) => given(all, { axis: fromEnd ? axis - shape.length : axis }));
    });

function joined(inputs: readonly Value[], { axis }: { axis: number }): Value {
  const [{ shape, dtype }] = inputs as [Value];
  const d = axis < 0 ? axis + shape.length : axis;
  const whole = shape.with(
    d,
    inputs.reduce((n, x) => n + x.shape[d]!, 0),
  );
  return fill(
    whole,
    (...index) => {
      let along = index[d]!;
      for (const x of inputs) {
        if (along < x.shape[d]!) return at({ ...x, shape: x.shape }, ...index.with(d, along));
        along -= x.shape[d]!;
      }
      return Number.NaN;
    },
    dtype,
  );
}

const wave = (shape: number[]): Value => fill(shape, (i, j) => i! * 131 + j!);

export const concatCases: CaseTable = {
  cases: [
    row({
      title: "joins along any axis",
      given: joins("f32"),
      run: (inputs, { axis }) => concat(inputs, axis),
      reference: joined,
      gradients: [0],
    }),
    row({
      title: "gives each of two its part of the gradient",
      given: joins("f32").filter(({ inputs }) => inputs.length === 2),
      run: (inputs, { axis }) => concat(inputs, axis),
      reference: joined,
      gradients: [0, 1],
    }),
    ...(["bf16", "f16", "i32", "u8"] as const).map((dtype) =>
      row({ title: `joins ${dtype}`, given: joins(dtype), run: (inputs, { axis }) => concat(inputs, axis), reference: joined }),
    ),
    row({
      title: "joins tensors that threads share",
      given: [0, 1].map((axis) => given([wave([170, 131]), wave(axis === 0 ? [30, 131] : [170, 30])], { axis })),
      run: (inputs, { axis }) => concat(inputs, axis),
      reference: joined,
      comparedWithPlain: [0, 1],
    }),
  ],
  refusals: [
    { title: "to join nothing", call: () => concat([]), error: ArgumentError, fields: { op: "concat", argument: "inputs" } },
    {
      title: "sizes that differ beside the axis",
      call: (b) => concat([zeros(b, [2, 3]), zeros(b, [2, 4])]),
      error: ShapeError,
      fields: {
        op: "concat",
        shapes: [
          [2, 3],
          [2, 4],
        ],
      },
    },
    {
      title: "ranks that differ",
      call: (b) => concat([zeros(b, [2]), zeros(b, [2, 1])]),
      error: ShapeError,
      fields: { op: "concat", shapes: [[2], [2, 1]] },
    },
    {
      title: "dtypes that differ",
      call: (b) => concat([zeros(b, [2]), zeros(b, [2], "i32")]),
      error: DTypeError,
      fields: { op: "concat", dtypes: ["f32", "i32"] },
    },
    {
      title: "an axis that is not there",
      call: (b) => concat([zeros(b, [2])], 1),
      error: ShapeError,
      fields: { op: "concat", shapes: [[2]] },
    },
  ],
};
