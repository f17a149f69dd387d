// Causal attention with grouped heads, padded rows, cached keys, sliding windows and capped scores; and the composite it is a fused form of.
import {
  ArgumentError,
  type AttentionOptions,
  attention,
  type Backend,
  DTypeError,
  matmul,
  permute,
  ShapeError,
  scale,
  softmax,
  sub,
  type Tensor,
  tanh,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, sizes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { at, fill, input, total, type Value } from "../value.ts";

/** s, or softcap·tanh(s / softcap). */
const cap = (s: number, softcap: number | null = null): number => (softcap === null ? s : softcap * Math.tanh(s / softcap));

/** y[b, t, h] = Σ_j softmax over j from starts[b], and from offset + t + 1 − window, to offset + t of cap(scale·q·k[j]) · v[j]; 0 where there is no such j. */
function reference([q, k, v, starts]: readonly Value[], { scale: factor, offset, window, softcap }: AttentionOptions): Value {
  const [, , heads, d] = q!.shape as [number, number, number, number];
  const groups = k!.shape[2]!;
  const scores = new Map<string, { first: number; weights: number[] }>();
  const weightsOf = (b: number, t: number, h: number): { first: number; weights: number[] } => {
    const name = `${b} ${t} ${h}`;
    let found = scores.get(name);
    if (!found) {
      const g = Math.floor((h * groups) / heads);
      const first = Math.max(at(starts!, b), offset + t + 1 - (window ?? Number.POSITIVE_INFINITY));
      const s = Array.from({ length: Math.max(0, offset + t + 1 - first) }, (_, j) =>
        cap(factor * total(d, (i) => at(q!, b, t, h, i) * at(k!, b, first + j, g, i)), softcap),
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

type More = Pick<AttentionOptions, "window" | "softcap">;
const windows = fc.constantFrom(1, 2, 3, 5, 1000); // the largest reaches beyond every row's start
const softcaps = fc.constantFrom(0.5, 2, 50);
const PLAIN_OPTIONS: fc.Arbitrary<More> = fc.constant({});
const WINDOWED: fc.Arbitrary<More> = fc.record({ window: windows });
const CAPPED: fc.Arbitrary<More> = fc.record({ window: fc.constantFrom(null, 1, 2, 5), softcap: softcaps });
/** The head size of literals: a head size is a program of its own. */
const FOUR = fc.constant(4);

/** Options beside scale and offset are drawn from `more`. */
const problems = (more: fc.Arbitrary<More>, headSizes = sizes(6)): fc.Arbitrary<Given<AttentionOptions>> =>
  fc
    .record({
      batch: sizes(3),
      time: sizes(6),
      groups: sizes(2, 1),
      queriesPerKey: sizes(3, 1),
      d: headSizes,
      offset: sizes(3),
      spare: sizes(2),
      factor: fc.constantFrom(1, 0.5, -0.25),
      options: more,
    })
    .chain(({ batch, time, groups, queriesPerKey, d, offset, spare, factor, options }) => {
      const keys = [batch, offset + time + spare, groups, d];
      return fc
        .tuple(normals([batch, time, groups * queriesPerKey, d]), normals(keys), normals(keys), ids([batch], offset + time + 1))
        .map((inputs) => given(inputs, { scale: factor, offset, ...options }));
    });

const wave = (shape: number[], step: number): Value => {
  let i = 0;
  return fill(shape, () => Math.fround(Math.sin(step * i++)));
};

const LARGE: readonly Given<AttentionOptions>[] = [
  given([wave([2, 70, 4, 24], 0.7), wave([2, 70, 2, 24], 1.3), wave([2, 70, 2, 24], 2.1), input([0, 33], [2], "i32")], {
    scale: 0.25,
    offset: 0,
  }),
  given([wave([2, 1, 6, 24], 0.7), wave([2, 150, 3, 24], 1.3), wave([2, 150, 3, 24], 2.1), input([5, 0], [2], "i32")], {
    scale: 0.2,
    offset: 140,
  }),
];
/** The same under windows that are no multiple of anything, one shorter than a block and one longer, and under a cap. */
const LARGE_WITH_OPTIONS = LARGE.flatMap(({ inputs, attrs }) => [
  given(inputs, { ...attrs, window: 21 }),
  given(inputs, { ...attrs, window: 67, softcap: 0.7 }),
]);

/** The same for as many key heads as query heads, over the whole matrix of scores: forbidden ones are made so small that softmax gives 0. */
function composite(q: Tensor, k: Tensor, v: Tensor, forbidden: Tensor, { scale: factor, softcap }: AttentionOptions): Tensor {
  const heads = (x: Tensor): Tensor => permute(x, [0, 2, 1, 3]);
  const scores = scale(matmul(heads(q), heads(k), { transposeB: true }), factor);
  const capped = softcap ? scale(tanh(scale(scores, 1 / softcap)), softcap) : scores;
  return permute(matmul(softmax(sub(capped, forbidden)), heads(v)), [0, 2, 1, 3]);
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
      given: problems(PLAIN_OPTIONS),
      ofOneKind: problems(PLAIN_OPTIONS, FOUR),
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1, 2],
      gradientTolerance: GRADIENT_TOLERANCE,
      runs: 30,
    }),
    row({
      title: "sees of these keys only the last ones of a window",
      given: problems(WINDOWED),
      ofOneKind: problems(WINDOWED, FOUR),
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1, 2],
      gradientTolerance: GRADIENT_TOLERANCE,
      runs: 20,
    }),
    row({
      title: "caps scores smoothly, within a window or without",
      given: problems(CAPPED, fc.constantFrom(3, 4)),
      ofOneKind: problems(CAPPED, fc.constant(3)),
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      gradients: [0, 1, 2],
      gradientTolerance: GRADIENT_TOLERANCE,
      runs: 20,
    }),
    row({
      title: "goes over windows and capped scores of more keys than one block",
      given: LARGE_WITH_OPTIONS,
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
      tolerance: TOLERANCE,
      comparedWithPlain: [0, 1, 2],
      gradientTolerance: { absolute: 5e-5, relative: 5e-5 },
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
          [fill([1, 3, 1, 4], (_, t) => 60 * t!), fill([1, 3, 1, 4], (_, j) => 3 * j!), wave([1, 3, 1, 4], 1), input([0], [1], "i32")],
          PLAIN,
        ),
      ],
      run: ([q, k, v, starts], attrs) => attention(q!, k!, v!, starts!, attrs),
      reference,
    }),
    row({
      title: "composite: softmax of masked scores times values",
      given: fc
        .record({
          batch: sizes(2, 1),
          time: sizes(5, 1),
          heads: sizes(3, 1),
          d: sizes(5, 1),
          window: fc.option(windows),
          softcap: fc.option(softcaps),
        })
        .chain(({ batch, time, heads, d, window, softcap }) =>
          fc.tuple(...[1, 2, 3].map(() => normals([batch, time, heads, d]))).map((qkv) => {
            const forbidden = fill([time, time], (t, j) => (j! > t! || j! <= t! - (window ?? time) ? 1e9 : 0));
            return given([...qkv, fill([batch], () => 0, "i32"), forbidden], { scale: 0.5, offset: 0, window, softcap });
          }),
        ),
      run: ([q, k, v, , forbidden], attrs) => composite(q!, k!, v!, forbidden!, attrs),
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
    ...[0, -1, 1.5, Number.NaN].map((window) => ({
      title: `a window of ${window} keys`,
      call: (b: Backend) => attention(...shapes(b, [1, 2, 1, 4], [1, 2, 1, 4]), { ...PLAIN, window }),
      error: ArgumentError,
      fields: { op: "attention", argument: "window", value: window },
    })),
    ...[0, -30, Number.POSITIVE_INFINITY].map((softcap) => ({
      title: `a cap of ${softcap} on scores`,
      call: (b: Backend) => attention(...shapes(b, [1, 2, 1, 4], [1, 2, 1, 4]), { ...PLAIN, softcap }),
      error: ArgumentError,
      fields: { op: "attention", argument: "softcap", value: softcap },
    })),
  ],
};
