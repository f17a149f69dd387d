import { ArgumentError, type DType, permute, ShapeError, transpose, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, map, type Value } from "../value.ts";

const orders = (dtype: DType): fc.Arbitrary<Given<{ axes: number[] }>> =>
  shapes({ maxRank: 5, maxSize: 4 }).chain((shape) => {
    const axes = shape.map((_, d) => d);
    return fc
      .tuple(within(shape, { low: 0, high: 200 }), fc.shuffledSubarray(axes, { minLength: axes.length }))
      .map(([x, order]) => given([{ ...map(x, Math.floor), dtype }], { axes: order }));
  });

const permuted = ([x]: readonly Value[], { axes }: { axes: readonly number[] }): Value =>
  fill(
    axes.map((d) => x!.shape[d]!),
    (...i) => at(x!, ...axes.map((_, d) => i[axes.indexOf(d)]!)),
    x!.dtype,
  );

export const permuteCases: CaseTable = {
  cases: [
    row({ title: "reorders axes", given: orders("f32"), run: ([x], { axes }) => permute(x!, axes), reference: permuted, gradients: [0] }),
    ...(["bf16", "f16", "i32", "u8"] as const).map((dtype) =>
      row({ title: `reorders axes of ${dtype}`, given: orders(dtype), run: ([x], { axes }) => permute(x!, axes), reference: permuted }),
    ),
    row({
      title: "transposes a large matrix",
      given: [given([fill([230, 167], (i, j) => i! * 167 + j!)], { axes: [1, 0] })],
      run: ([x]) => transpose(x!),
      reference: permuted,
    }),
    row({
      title: "reorders axes of tensors that threads share",
      given: [
        [0, 2, 1, 3],
        [3, 1, 0, 2],
        [2, 0, 3, 1],
        [1, 0, 2, 3],
      ].map((axes) => given([fill([19, 14, 13, 12], (i, j, k, l) => ((i! * 14 + j!) * 13 + k!) * 12 + l!)], { axes })),
      run: ([x], { axes }) => permute(x!, axes),
      reference: permuted,
      comparedWithPlain: [0],
    }),
    row({
      title: "transpose exchanges two axes counted from the end",
      given: [given([fill([2, 3, 4], (i, j, k) => i! * 12 + j! * 4 + k!)], { axes: [2, 1, 0] })],
      run: ([x]) => transpose(x!, -3, -1),
      reference: permuted,
      gradients: [0],
    }),
  ],
  refusals: [
    {
      title: "an axis named twice",
      call: (b) => permute(zeros(b, [2, 3]), [0, 0]),
      error: ArgumentError,
      fields: { op: "permute", argument: "axes", value: [0, 0] },
    },
    {
      title: "too few axes",
      call: (b) => permute(zeros(b, [2, 3]), [0]),
      error: ArgumentError,
      fields: { op: "permute", argument: "axes" },
    },
    { title: "an axis that is not there", call: (b) => permute(zeros(b, [2, 3]), [0, 2]), error: ShapeError, fields: { op: "permute" } },
    {
      title: "to transpose a vector",
      call: (b) => transpose(zeros(b, [3])),
      error: ShapeError,
      fields: { op: "transpose", shapes: [[3]] },
    },
  ],
};
