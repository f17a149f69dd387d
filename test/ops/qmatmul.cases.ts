// Products with quantized weights are products with the values those stand for.
import { type Backend, DTypeError, namedFormat, type QFormat, qaddmm, qmatmul, quantize, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, total, type Value } from "../value.ts";
import { formats, restored } from "./quantize.cases.ts";

interface Attrs {
  readonly format: QFormat;
}

/** Y[…, o] = C + Σ_i X[…, i]·W[o, i]; the weight is read back once, for it is the same however x moves. */
const seen = new WeakMap<Value, Value>();
function product([x, w, c]: readonly Value[], { format }: Attrs): Value {
  const weights = seen.get(w!) ?? restored(w!, format);
  seen.set(w!, weights);
  return fill([...x!.shape.slice(0, -1), w!.shape[0]!], (...index) => {
    const sum = total(w!.shape[1]!, (i) => at(x!, ...index.slice(0, -1), i) * at(weights, index.at(-1)!, i));
    return sum + (c ? at(c, ...index) : 0);
  });
}

const problems = (addend: "none" | "row" | "full"): fc.Arbitrary<Given<Attrs>> =>
  fc
    .record({ format: formats, rows: shapes({ maxRank: 2, maxSize: 4 }), from: sizes(40), to: sizes(20) })
    .chain(({ format, rows, from, to }) =>
      fc
        .tuple(normals([...rows, from]), normals([to, from]), addend === "row" ? normals([to]) : normals([...rows, to]))
        .map((all) => given(addend === "none" ? all.slice(0, 2) : all, { format })),
    );

const TOLERANCE = { absolute: 2e-5, relative: 1e-5 };
const nf4: Attrs = { format: namedFormat("nf4") };

/** One row (generation), few rows, and more than one block; widths that end within a block of the format and within a SIMD lane. */
const LARGE: readonly Given<Attrs>[] = [
  [1, 320, 130],
  [3, 192, 70],
  [20, 100, 37],
  [70, 256, 129],
].map(([rows, from, to]) =>
  given(
    [
      fill([rows!, from!], (r, i) => Math.fround(Math.sin(r! * 31 + i! * 3))),
      fill([to!, from!], (o, i) => Math.fround(Math.cos(o! * 17 + i! * i!))),
    ],
    nf4,
  ),
);

export const qmatmulCases: CaseTable = {
  cases: [
    row({
      title: "multiplies with the values a weight stands for",
      given: problems("none"),
      run: ([x, w], { format }) => qmatmul(x!, quantize(w!, format)),
      reference: product,
      tolerance: TOLERANCE,
      gradients: [0],
      gradientTolerance: TOLERANCE,
      runs: 40,
    }),
    row({
      title: "multiplies one row, few rows, and more than one block",
      comparedWithPlain: [0],
      gradientTolerance: { absolute: 2e-4, relative: 2e-5 },
      given: LARGE,
      run: ([x, w], { format }) => qmatmul(x!, quantize(w!, format)),
      reference: product,
      tolerance: { absolute: 1e-4, relative: 1e-5 },
    }),
    row({
      title: "goes back through one row and few rows",
      given: [
        given(
          [fill([1, 130], (_, i) => Math.fround(Math.sin(i! * 3))), fill([70, 130], (o, i) => Math.fround(Math.cos(o! * 17 + i! * i!)))],
          nf4,
        ),
        given(
          [
            fill([3, 67], (r, i) => Math.fround(Math.sin(r! * 31 + i!))),
            fill([37, 67], (o, i) => Math.fround(Math.cos(o! * 17 + i! * i!))),
          ],
          nf4,
        ),
      ],
      run: ([x, w], { format }) => qmatmul(x!, quantize(w!, format)),
      reference: product,
      tolerance: { absolute: 1e-4, relative: 1e-5 },
      gradients: [0],
      gradientTolerance: { absolute: 1e-4, relative: 1e-4 },
    }),
    ...(["row", "full"] as const).map((addend) =>
      row({
        title: `adds ${addend === "row" ? "a row" : "a tensor"} to the product`,
        given: problems(addend),
        run: ([x, w, c], { format }) => qaddmm(c!, x!, quantize(w!, format)),
        reference: product,
        tolerance: TOLERANCE,
        gradients: [0, 2],
        gradientTolerance: TOLERANCE,
      }),
    ),
    row({
      title: "adds a row to larger products",
      given: LARGE.map(({ inputs, attrs }) => given([...inputs, fill([inputs[1]!.shape[0]!], (o) => o! / 8)], attrs)),
      run: ([x, w, c], { format }) => qaddmm(c!, x!, quantize(w!, format)),
      reference: product,
      tolerance: { absolute: 1e-4, relative: 1e-5 },
    }),
  ],
  refusals: [
    {
      title: "a width that is not the weight's",
      call: (b: Backend) => qmatmul(zeros(b, [2, 3]), quantize(zeros(b, [5, 4]), nf4.format)),
      error: ShapeError,
      fields: {
        op: "qmatmul",
        shapes: [
          [2, 3],
          [5, 4],
        ],
      },
    },
    {
      title: "a weight that is not a matrix",
      call: (b: Backend) => qmatmul(zeros(b, [2, 3]), quantize(zeros(b, [3]), nf4.format)),
      error: ShapeError,
      fields: { op: "qmatmul", shapes: [[2, 3], [3]] },
    },
    {
      title: "16 bits",
      call: (b: Backend) => qmatmul(zeros(b, [2, 4], "bf16"), quantize(zeros(b, [5, 4]), nf4.format)),
      error: DTypeError,
      fields: { op: "qmatmul", dtypes: ["bf16"] },
    },
    {
      title: "an addend of another shape",
      call: (b: Backend) => qaddmm(zeros(b, [4]), zeros(b, [2, 4]), quantize(zeros(b, [5, 4]), nf4.format)),
      error: ShapeError,
      fields: { op: "qaddmm", shapes: [[4], [2, 4], [5, 4]] },
    },
  ],
};
