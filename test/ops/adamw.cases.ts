// Steps of AdamW by the formula in float64, and bit for bit by the reference arithmetic of core (compared with torch's own in its tests).
import { type AdamWAttrs, adamW, adamWStep, DTypeError, ShapeError, type Tensor, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, within } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { fill, type Value } from "../value.ts";

const ATTRS: AdamWAttrs = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 1 };

const states: fc.Arbitrary<Given<AdamWAttrs>> = fc
  .tuple(shapes(), fc.constantFrom(1, 2, 100), fc.constantFrom(0, 0.1), fc.constantFrom(1, 0.25))
  .chain(([shape, step, weightDecay, factor]) =>
    fc
      .tuple(normals(shape), normals(shape), within(shape, { low: 0.01, high: 2 }), normals(shape))
      .map((all) => given([...all, fill([], () => factor)], { ...ATTRS, step, weightDecay })),
  );

const step = ([p, m, v, g, factor]: readonly Tensor[], attrs: AdamWAttrs): readonly Tensor[] => {
  adamW(p!, m!, v!, g!, factor!, attrs);
  return [p!, m!, v!];
};

function formula(
  [p, m, v, g, factor]: readonly Value[],
  { learningRate, beta1, beta2, epsilon, weightDecay, step: t }: AdamWAttrs,
): Value[] {
  const like = (f: (i: number) => number): Value => ({ ...p!, data: p!.data.map((_, i) => f(i)) });
  const scaled = like((i) => g!.data[i]! * factor!.data[0]!);
  const m1 = like((i) => beta1 * m!.data[i]! + (1 - beta1) * scaled.data[i]!);
  const v1 = like((i) => beta2 * v!.data[i]! + (1 - beta2) * scaled.data[i]! ** 2);
  const p1 = like((i) => {
    const mean = m1.data[i]! / (1 - beta1 ** t);
    const deviation = Math.sqrt(v1.data[i]! / (1 - beta2 ** t));
    return p!.data[i]! * (1 - learningRate * weightDecay) - (learningRate * mean) / (deviation + epsilon);
  });
  return [p1, m1, v1];
}

function bits([p, m, v, g, factor]: readonly Value[], attrs: AdamWAttrs): Value[] {
  const [pa, ma, va, ga] = [p!, m!, v!, g!].map(({ data }) => Float32Array.from(data)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const next = adamWStep(
    pa,
    ga.map((x) => x * factor!.data[0]!),
    { m: ma, v: va },
    attrs,
  );
  return [next.parameter, next.m, next.v].map((values) => ({ ...p!, data: [...values] }));
}

const wave = (step: number, low = 0): Value => fill([71, 301], (i, j) => Math.fround(Math.sin((i! * 301 + j!) * step) + low));
const LARGE = given([wave(0.1), wave(0.2), wave(0.3, 1), wave(0.4), fill([], () => 0.5)], { ...ATTRS, step: 7 });

export const adamwCases: CaseTable = {
  cases: [
    row({
      title: "moves parameter and moments by the formula",
      given: states,
      run: step,
      reference: formula,
      tolerance: { absolute: 1e-6, relative: 1e-5 },
    }),
    row({
      title: "rounds as the reference arithmetic does, bit for bit",
      given: states,
      run: step,
      reference: bits,
      tolerance: { absolute: 0, relative: 0 },
    }),
    row({
      title: "rounds so on a parameter that threads share",
      given: [LARGE],
      run: step,
      reference: bits,
      tolerance: { absolute: 0, relative: 0 },
    }),
    row({
      title: "takes the first step from zeros",
      given: [
        given(
          [0.5, 0, 0, -1, 1].map((x, i) => fill(i === 4 ? [] : [1], () => x)),
          ATTRS,
        ),
      ],
      run: step,
      reference: () => [0.5095000267, -0.1, 0.001].map((x) => fill([1], () => x)), // bitsandbytes: 0.5095000267
      tolerance: { absolute: 1e-8, relative: 0 },
    }),
  ],
  refusals: [
    {
      title: "a moment of another shape",
      call: (b) => adamW(zeros(b, [2]), zeros(b, [2]), zeros(b, [3]), zeros(b, [2]), zeros(b, []), ATTRS),
      error: ShapeError,
      fields: { op: "adamW", shapes: [[2], [3]] },
    },
    {
      title: "a gradScale of several numbers",
      call: (b) => adamW(zeros(b, [2]), zeros(b, [2]), zeros(b, [2]), zeros(b, [2]), zeros(b, [1]), ATTRS),
      error: ShapeError,
      fields: { op: "adamW", shapes: [[1]] },
    },
    {
      title: "a parameter of 16 bits",
      call: (b) => adamW(zeros(b, [2], "bf16"), zeros(b, [2]), zeros(b, [2]), zeros(b, [2]), zeros(b, []), ATTRS),
      error: DTypeError,
      fields: { op: "adamW", dtypes: ["bf16", "f32", "f32", "f32", "f32"] },
    },
  ],
};
