// Causal attention with grouped heads, padded rows and cached keys; and the composite it is a fused form of.
import {
  ArgumentError,
  type AttentionAttrs,
  attention,
  DTypeError,
  matmul,
  permute,
  ShapeError,
  scale,
  softmax,
  sub,
  type Tensor,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, input, total, type Value } from "../value.ts";

/** y[b, t, h] = Σ_j softmax over j from starts[b] to offset + t of (scale·q·k[j]) · v[j]; 0 where there is no such j. */
function reference([q, k, v, starts]: readonly Value[], { scale: factor, offset }: AttentionAttrs): Value {
  const [, , heads, d] = q!.shape as [number, number, number, number];
  const groups = k!.shape[2]!;
  const scores = new Map<string, { first: number; weights: number[] }>();
  const weightsOf = (b: number, t: number, h: number): { first: number; weights: number[] } => {
    const name = `${b} ${t} ${h}`;
    let found = scores.get(name);
    if (!found) {
      const g = Math.floor((h * groups) / heads);
      const first = at(starts!, b);
      const s = Array.from(
        { length: Math.max(0, offset + t + 1 - first) },
        (_, j) => factor * total(d, (i) => at(q!, b, t, h, i) * at(k!, b, first + j, g, i)),
      );
      const largest = Math.max(...s);
      const e = s.map((x) => Math.exp(x - largest));
      const sum = e.reduce((a, x) => a + x, 0);
      found = { first, weights: e.map((x) => x / sum) };
      scores.set(name, found);
    }
    return found;
  };
  return fill(q!.shape, (b, t, h, i) => {
    const { first, weights } = weightsOf(b!, t!, h!);
    const g = Math.floor((h! * groups) / heads);
    return total(weights.length, (j) => weights[j]! * at(v!, b!, first + j, g, i!));
  });
}

const problems: fc.Arbitrary<Given<AttentionAttrs>> = fc
  .record({
    batch: sizes(3),
    time: sizes(6),
    groups: sizes(2, 1),
    queriesPerKey: sizes(3, 1),
    d: sizes(6),
    offset: sizes(3),
    spare: sizes(2),
    factor: fc.constantFrom(1, 0.5, -0.25),
  })
  .chain(({ batch, time, groups, queriesPerKey, d, offset, spare, factor }) => {
    const keys = [batch, offset + time + spare, groups, d];
    return fc
      .tuple(normals([batch, time, groups * queriesPerKey, d]), normals(keys), normals(keys), ids([batch], offset + time + 1))
      .map((inputs) => given(inputs, { scale: factor, offset }));
  });

const wave = (shape: number[], step: number): Value => {
  let i = 0;
  return fill(shape, () => Math.fround(Math.sin(step * i++)));
};

const LARGE: readonly Given<AttentionAttrs>[] = [
  given([wave([2, 70, 4, 16], 0.7), wave([2, 70, 2, 16], 1.3), wave([2, 70, 2, 16], 2.1), input([0, 33], [2], "i32")], {
    scale: 0.25,
    offset: 0,
  }),
  given([wave([2, 1, 6, 24], 0.7), wave([2, 150, 3, 24], 1.3), wave([2, 150, 3, 24], 2.1), input([5, 0], [2], "i32")], {
    scale: 0.2,
    offset: 140,
  }),
];

/** The same for as many key heads as query heads, over the whole matrix of scores: forbidden ones are made so small that softmax gives 0. */
function composite(q: Tensor, k: Tensor, v: Tensor, forbidden: Tensor, factor: number): Tensor {
  const heads = (x: Tensor): Tensor => permute(x, [0, 2, 1, 3]);
  const scores = sub(scale(matmul(heads(q), heads(k), { transposeB: true }), factor), forbidden);
  return permute(matmul(softmax(scores), heads(v)), [0, 2, 1, 3]);
}

const setLast = (x: Value, value: number): Value => ({ ...x, data: x.data.map((v, i) => (i >= x.data.length - x.shape[3]! ? value : v)) });
const poisonLast = (x: Value): Value => setLast(x, Number.NaN);
const zeroLast = (x: Value): Value => setLast(x, 0);

const TOLERANCE = { absolute: 2e-6, relative: 1e-5 };
const GRADIENT_TOLERANCE = { absolute: 2e-5, relative: 5e-5 };
const shapes = (
  b: Parameters<typeof zeros>[0],
  q: number[],
  k: number[],
  v = k,
  starts = [q[0] ?? 1],
): [Tensor, Tensor, Tensor, Tensor] => [zeros(b, q), zeros(b, k), zeros(b, v), zeros(b, starts, "i32")];
const PLAIN = { scale: 1, offset: 0 };

export const attentionCases: CaseTable = {
  cases: [
    row({
      title: "attends to keys from each row's start up to the query",
      given: problems,
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1, 2],
      gradientTolerance: GRADIENT_TOLERANCE,
      runs: 30,
    }),
    row({
      title: "attends over more keys and heads than one block",
      given: LARGE,
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      comparedWithPlain: [0, 1, 2],
      gradientTolerance: { absolute: 5e-5, relative: 5e-5 },
    }),
    row({
      title: "gives 0 to a query before its row's start",
      given: [given([wave([1, 3, 2, 4], 1), wave([1, 3, 1, 4], 2), wave([1, 3, 1, 4], 3), input([2], [1], "i32")], PLAIN)],
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      gradients: [0, 1, 2],
    }),
    row({
      title: "does not overflow where scores are large",
      given: [
        given(
          [fill([1, 3, 1, 2], (_, t) => 60 * t!), fill([1, 3, 1, 2], (_, j) => 3 * j!), wave([1, 3, 1, 2], 1), input([0], [1], "i32")],
          PLAIN,
        ),
      ],
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
    }),
    row({
      title: "composite: softmax of masked scores times values",
      given: fc
        .record({ batch: sizes(2, 1), time: sizes(5, 1), heads: sizes(3, 1), d: sizes(5, 1) })
        .chain(({ batch, time, heads, d }) =>
          fc
            .tuple(...[1, 2, 3].map(() => normals([batch, time, heads, d])))
            .map((qkv) =>
              given([...qkv, fill([batch], () => 0, "i32"), fill([time, time], (t, j) => (j! > t! ? 1e9 : 0))], { scale: 0.5, offset: 0 }),
            ),
        ),
      run: ([q, k, v, , forbidden], attrs) => composite(q!, k!, v!, forbidden!, attrs.scale),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1, 2],
      gradientTolerance: GRADIENT_TOLERANCE,
    }),
    row({
      title: "sees only the keys up to the query, whatever the later ones hold",
      given: [
        given([wave([1, 2, 1, 4], 1), poisonLast(wave([1, 4, 1, 4], 2)), poisonLast(wave([1, 4, 1, 4], 3)), input([0], [1], "i32")], {
          scale: 1,
          offset: 1,
        }),
      ],
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference: ([q, k, v, starts], attrs) => reference([q!, zeroLast(k!), zeroLast(v!), starts!], attrs),
    }),
  ],
  refusals: [
    {
      title: "dtypes other than f32 with i32 starts",
      call: (b) => attention(zeros(b, [1, 2, 1, 4]), zeros(b, [1, 2, 1, 4]), zeros(b, [1, 2, 1, 4]), zeros(b, [1]), PLAIN),
      error: DTypeError,
      fields: { op: "attention", dtypes: ["f32", "f32", "f32", "f32"] },
    },
    {
      title: "queries of rank 3",
      call: (b) => attention(...shapes(b, [1, 2, 4], [1, 2, 1, 4]), PLAIN),
      error: ShapeError,
      fields: { op: "attention" },
    },
    {
      title: "keys and values that differ",
      call: (b) => attention(...shapes(b, [1, 2, 1, 4], [1, 2, 1, 4], [1, 3, 1, 4]), PLAIN),
      error: ShapeError,
      fields: { op: "attention", shapes: [[1, 2, 1, 4], [1, 2, 1, 4], [1, 3, 1, 4], [1]] },
    },
    {
      title: "another head size",
      call: (b) => attention(...shapes(b, [1, 2, 1, 4], [1, 2, 1, 3]), PLAIN),
      error: ShapeError,
      fields: { op: "attention" },
    },
    {
      title: "heads that are not shared evenly",
      call: (b) => attention(...shapes(b, [1, 2, 3, 4], [1, 2, 2, 4]), PLAIN),
      error: ShapeError,
      fields: { op: "attention" },
    },
    {
      title: "starts that are not one a row",
      call: (b) => attention(...shapes(b, [2, 2, 1, 4], [2, 2, 1, 4], [2, 2, 1, 4], [1]), PLAIN),
      error: ShapeError,
      fields: { op: "attention" },
    },
    {
      title: "queries beyond the keys",
      call: (b) => attention(...shapes(b, [1, 2, 1, 4], [1, 3, 1, 4]), { scale: 1, offset: 2 }),
      error: ArgumentError,
      fields: { op: "attention", argument: "offset", value: 2 },
    },
  ],
};
