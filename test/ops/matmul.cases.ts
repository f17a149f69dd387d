// Products in every orientation, with leading axes on one side or both, empty sizes, a 16-bit right side, and an addend.
import { addmm, DTypeError, type MatmulAttrs, matmul, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, total, type Value } from "../value.ts";

interface Attrs extends MatmulAttrs {
  /** What addmm adds: nothing, one row, or a tensor of the product's shape. */
  readonly addend: "none" | "row" | "full";
}

const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

/** Y[…, i, j] = C + Σ_p A[…, i, p]·B[…, p, j] */
function product([a, b, c]: readonly Value[], { transposeA, transposeB }: MatmulAttrs): Value {
  const [m, k] = transposeA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
  const n = b!.shape.at(transposeB ? -2 : -1)!;
  return fill([...a!.shape.slice(0, -2), m, n], (...index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const lead = index.slice(0, -2);
    const inB = b!.shape.length > 2 ? lead : [];
    const sum = total(k, (p) => at(a!, ...lead, ...(transposeA ? [p, i] : [i, p])) * at(b!, ...inB, ...(transposeB ? [j, p] : [p, j])));
    return sum + (c ? at(c, ...index) : 0);
  });
}

const swapped = (a: number, b: number, yes: boolean): number[] => (yes ? [b, a] : [a, b]);

const problems = (dtype: "f32" | "bf16" | "f16", addend: Attrs["addend"], size = 9): fc.Arbitrary<Given<Attrs>> =>
  fc
    .record({
      batch: shapes({ maxRank: 2, maxSize: 3 }),
      m: sizes(size),
      k: sizes(size),
      n: sizes(size),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      shared: fc.boolean(),
    })
    .chain(({ batch, m, k, n, transposeA, transposeB, shared }) => {
      const flip = transposeA && !(shared && batch.length > 0); // a transposed against one matrix has no leading axes
      const a = normals([...batch, ...swapped(m, k, flip)]);
      const b = normals([...(shared ? [] : batch), ...swapped(k, n, transposeB)], 1, dtype);
      const c = addend === "row" ? normals([n]) : normals([...batch, m, n]);
      return fc.tuple(a, b, c).map((all) => given(addend === "none" ? all.slice(0, 2) : all, { transposeA: flip, transposeB, addend }));
    });

/** Sizes beyond one block and one panel of a fast kernel, none a multiple of another. */
const LARGE: readonly Given<MatmulAttrs>[] = [
  [130, 70, 50],
  [5, 129, 67],
  [1, 300, 130],
  [65, 1, 33],
].flatMap(([m, k, n]) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      given(
        [
          fill(swapped(m!, k!, transposeA), (i, j) => Math.fround(Math.sin(i * 31 + j * 17))),
          fill(swapped(k!, n!, transposeB), (i, j) => Math.fround(Math.cos(i * 13 + j * 29))),
        ],
        { transposeA, transposeB },
      ),
    ),
  ),
);

const f16Large = LARGE.map(({ inputs: [a, b], attrs }) =>
  given([a!, { ...b!, dtype: "bf16" as const, data: b!.data.map((x) => Math.round(x * 64) / 64) }], attrs),
);

export const matmulCases: CaseTable = {
  cases: [
    row({
      title: "multiplies in every orientation, with and without leading axes",
      given: problems("f32", "none"),
      run: ([a, b], attrs) => matmul(a!, b!, attrs),
      reference: product,
      tolerance: TOLERANCE,
      gradients: [0, 1],
      runs: 40,
    }),
    row({
      title: "multiplies sizes beyond one block",
      comparedWithPlain: [0, 1],
      gradientTolerance: { absolute: 1e-4, relative: 2e-5 },
      given: LARGE,
      run: ([a, b], attrs) => matmul(a!, b!, attrs),
      reference: product,
      tolerance: { absolute: 3e-5, relative: 1e-5 },
    }),
    row({
      title: "multiplies sizes beyond one block with bf16",
      comparedWithPlain: [0],
      gradientTolerance: { absolute: 1e-4, relative: 2e-5 },
      given: f16Large,
      run: ([a, b], attrs) => matmul(a!, b!, attrs),
      reference: product,
      tolerance: { absolute: 3e-5, relative: 1e-5 },
    }),
    ...(["bf16", "f16"] as const).map((dtype) =>
      row({
        title: `multiplies with ${dtype} on the right`,
        given: problems(dtype, "none"),
        run: ([a, b], attrs) => matmul(a!, b!, attrs),
        reference: product,
        tolerance: TOLERANCE,
        gradients: [0],
      }),
    ),
    ...(["row", "full"] as const).map((addend) =>
      row({
        title: `adds ${addend === "row" ? "a row" : "a tensor"} to the product`,
        given: problems("f32", addend),
        run: ([a, b, c], attrs) => addmm(c!, a!, b!, attrs),
        reference: product,
        tolerance: TOLERANCE,
        gradients: [0, 1, 2],
      }),
    ),
    row({
      title: "adds a row to a product beyond one block",
      given: LARGE.map(({ inputs, attrs }) => given([...inputs, fill([product(inputs, attrs).shape[1]!], (j) => j / 8)], attrs)),
      run: ([a, b, c], attrs) => addmm(c!, a!, b!, attrs),
      reference: product,
      tolerance: { absolute: 4e-5, relative: 1e-5 },
    }),
    row({
      title: "a NaN reaches its own row only",
      given: [given([fill([3, 2], (i) => (i === 1 ? Number.NaN : 1)), fill([2, 5], () => 2)], { transposeA: false, transposeB: false })],
      run: ([a, b], attrs) => matmul(a!, b!, attrs),
      reference: product,
    }),
  ],
  refusals: [
    {
      title: "inner sizes that differ",
      call: (b) => matmul(zeros(b, [2, 3]), zeros(b, [4, 5])),
      error: ShapeError,
      fields: {
        op: "matmul",
        shapes: [
          [2, 3],
          [4, 5],
        ],
      },
    },
    {
      title: "inner sizes that differ once transposed",
      call: (b) => matmul(zeros(b, [2, 3]), zeros(b, [3, 5]), { transposeB: true }),
      error: ShapeError,
      fields: {
        op: "matmul",
        shapes: [
          [2, 3],
          [3, 5],
        ],
      },
    },
    {
      title: "a vector",
      call: (b) => matmul(zeros(b, [3]), zeros(b, [3, 5])),
      error: ShapeError,
      fields: { op: "matmul", shapes: [[3], [3, 5]] },
    },
    {
      title: "leading axes that differ",
      call: (b) => matmul(zeros(b, [2, 4, 3]), zeros(b, [5, 3, 4])),
      error: ShapeError,
      fields: {
        op: "matmul",
        shapes: [
          [2, 4, 3],
          [5, 3, 4],
        ],
      },
    },
    {
      title: "leading axes of a transposed a against one matrix",
      call: (b) => matmul(zeros(b, [2, 4, 3]), zeros(b, [4, 5]), { transposeA: true }),
      error: ShapeError,
      fields: { op: "matmul" },
    },
    {
      title: "16 bits on the left",
      call: (b) => matmul(zeros(b, [2, 3], "bf16"), zeros(b, [3, 2])),
      error: DTypeError,
      fields: { op: "matmul", dtypes: ["bf16", "f32"] },
    },
    {
      title: "whole numbers on the right",
      call: (b) => matmul(zeros(b, [2, 3]), zeros(b, [3, 2], "i32")),
      error: DTypeError,
      fields: { op: "matmul", dtypes: ["f32", "i32"] },
    },
    {
      title: "an addend of another shape",
      call: (b) => addmm(zeros(b, [2]), zeros(b, [2, 3]), zeros(b, [3, 4])),
      error: ShapeError,
      fields: { op: "addmm", shapes: [[2], [2, 3], [3, 4]] },
    },
    {
      title: "an addend of 16 bits",
      call: (b) => addmm(zeros(b, [4], "f16"), zeros(b, [2, 3]), zeros(b, [3, 4])),
      error: DTypeError,
      fields: { op: "addmm", dtypes: ["f16"] },
    },
  ],
};
