// Head and loss in one, and the composite it stands for.
import {
  ArgumentError,
  type Backend,
  crossEntropy,
  DTypeError,
  GradientError,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  matmul,
  parameter,
  ShapeError,
  scale,
  tanh,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, total, type Value } from "../value.ts";
import { crossEntropyOf } from "./cross-entropy.cases.ts";

const problems = (dtype: "f32" | "bf16" | "f16"): fc.Arbitrary<Given<object>> =>
  fc
    .record({ rows: sizes(5), n: sizes(6), vocabulary: sizes(9, 1) })
    .chain(({ rows, n, vocabulary }) =>
      fc.tuple(normals([rows, n]), normals([vocabulary, n], 1, dtype), ids([rows], vocabulary)).map((inputs) => given(inputs)),
    );

/** Problems whose logits are capped, some far below what they would be. */
const capped = (dtype: "f32" | "bf16" | "f16"): fc.Arbitrary<Given<LinearCrossEntropyOptions>> =>
  fc.tuple(problems(dtype), fc.constantFrom(0.4, 3, 30)).map(([{ inputs }, softcap]) => given(inputs, { softcap }));

const reference = ([x, weight, targets]: readonly Value[], { softcap = null }: LinearCrossEntropyOptions): Value => {
  const [rows, n] = x!.shape as [number, number];
  const cap = (s: number): number => (softcap === null ? s : softcap * Math.tanh(s / softcap));
  const logits = fill([rows, weight!.shape[0]!], (r, v) => cap(total(n, (i) => at(x!, r!, i) * at(weight!, v!, i))));
  return crossEntropyOf(logits, targets!);
};

const LARGE = [
  [70, 33, 301],
  [3, 64, 1030],
  [17, 8, 2104],
  [17, 3, 2101],
].map(([rows, n, vocabulary]) =>
  given([
    fill([rows!, n!], (r, i) => Math.fround(Math.sin(r! * 37 + i!))),
    fill([vocabulary!, n!], (v, i) => Math.fround(Math.cos(v! * 11 + i! * 5) / 4)),
    fill([rows!], (r) => (r! * 97) % vocabulary!, "i32"),
  ]),
);
const TOLERANCE = { absolute: 1e-5, relative: 5e-6 };

export const linearCrossEntropyCases: CaseTable = {
  cases: [
    ...(["f32", "bf16", "f16"] as const).map((dtype) =>
      row({
        title: `is the cross-entropy of x·Wᵀ for a head of ${dtype}`,
        given: problems(dtype),
        run: ([x, weight, targets]) => linearCrossEntropy(x!, weight!, targets!),
        reference,
        tolerance: TOLERANCE,
        gradients: [0],
      }),
    ),
    ...(["f32", "bf16"] as const).map((dtype) =>
      row({
        title: `caps logits smoothly for a head of ${dtype}`,
        given: capped(dtype),
        run: ([x, weight, targets], options) => linearCrossEntropy(x!, weight!, targets!, options),
        reference,
        tolerance: TOLERANCE,
        gradients: [0],
      }),
    ),
    row({
      title: "caps logits of more rows and words than one chunk",
      comparedWithPlain: [0],
      given: LARGE.slice(0, 2).flatMap(({ inputs }) => [given(inputs, { softcap: 30 }), given(inputs, { softcap: 1.5 })]),
      run: ([x, weight, targets], options) => linearCrossEntropy(x!, weight!, targets!, options),
      reference,
      tolerance: TOLERANCE,
    }),
    row({
      title: "takes more rows and words than one chunk",
      comparedWithPlain: [0],
      given: LARGE,
      run: ([x, weight, targets]) => linearCrossEntropy(x!, weight!, targets!),
      reference,
      tolerance: TOLERANCE,
    }),
    row({
      title: "gives the gradient of one row among many words",
      given: [
        given([fill([1, 5], (_, i) => i! / 4), fill([130, 5], (v, i) => Math.fround(Math.cos(v! + i! * 3))), fill([1], () => 77, "i32")]),
      ],
      run: ([x, weight, targets]) => linearCrossEntropy(x!, weight!, targets!),
      reference,
      tolerance: TOLERANCE,
      gradients: [0],
    }),
    row({
      title: "does not overflow where logits are large",
      given: [given([fill([2, 2], (r) => 500 * (r! + 1)), fill([3, 2], (v) => v! - 1), fill([2], (r) => r!, "i32")])],
      run: ([x, weight, targets]) => linearCrossEntropy(x!, weight!, targets!),
      reference,
      tolerance: TOLERANCE,
      gradients: [0],
    }),
    row({
      title: "composite: crossEntropy of a product",
      given: problems("f32"),
      run: ([x, weight, targets]) => crossEntropy(matmul(x!, weight!, { transposeB: true }), targets!),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1],
    }),
    row({
      title: "composite: crossEntropy of a product under a cap",
      given: capped("f32"),
      run: ([x, weight, targets], { softcap }) =>
        crossEntropy(scale(tanh(scale(matmul(x!, weight!, { transposeB: true }), 1 / softcap!)), softcap!), targets!),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1],
    }),
  ],
  refusals: [
    {
      title: "a head that gradients are asked of",
      call: (b) => linearCrossEntropy(zeros(b, [2, 3]), parameter(zeros(b, [4, 3])), zeros(b, [2], "i32")),
      error: GradientError,
    },
    ...[0, -1, Number.NaN].map((softcap) => ({
      title: `a cap of ${softcap} on logits`,
      call: (b: Backend) => linearCrossEntropy(zeros(b, [2, 3]), zeros(b, [4, 3]), zeros(b, [2], "i32"), { softcap }),
      error: ArgumentError,
      fields: { op: "linearCrossEntropy", argument: "softcap", value: softcap },
    })),
    {
      title: "a head of another width",
      call: (b) => linearCrossEntropy(zeros(b, [2, 3]), zeros(b, [4, 5]), zeros(b, [2], "i32")),
      error: ShapeError,
      fields: { op: "linearCrossEntropy", shapes: [[2, 3], [4, 5], [2]] },
    },
    {
      title: "targets that are not one a row",
      call: (b) => linearCrossEntropy(zeros(b, [2, 3]), zeros(b, [4, 3]), zeros(b, [3], "i32")),
      error: ShapeError,
      fields: { op: "linearCrossEntropy", shapes: [[2, 3], [4, 3], [3]] },
    },
    {
      title: "targets that are not i32",
      call: (b) => linearCrossEntropy(zeros(b, [2, 3]), zeros(b, [4, 3]), zeros(b, [2])),
      error: DTypeError,
      fields: { op: "linearCrossEntropy", dtypes: ["f32", "f32", "f32"] },
    },
  ],
};
