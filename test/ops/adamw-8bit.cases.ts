// Steps of AdamW with 8-bit moments, bit for bit those of core's reference arithmetic (compared with bitsandbytes' traces in its tests).
import { type AdamWAttrs, adamW8BitStep, adamW8bit, DTypeError, ShapeError, type Tensor, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, seeds } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { fill, input, type Value } from "../value.ts";

const ATTRS: AdamWAttrs = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 3 };

/** A parameter of n elements with a state that some steps have left. */
function state(n: number, seed: number, p: Value, g: Value, factor = 1): Given<AdamWAttrs> {
  const blocks = Math.ceil(n / 256);
  const codes = (salt: number): Value => fill([n], (i) => (i! * 7919 + seed * salt) % 256, "u8");
  const scales = (salt: number): Value => fill([blocks], (i) => Math.fround(((i! * salt + seed) % 17) / 100));
  return given([p, codes(31), codes(57), scales(3), scales(5), g, fill([], () => factor)], ATTRS);
}

const states = fc
  .tuple(fc.constantFrom(0, 1, 255, 256, 257, 700), seeds, fc.constantFrom(1, 0.25))
  .chain(([n, seed, factor]) => fc.tuple(normals([n]), normals([n])).map(([p, g]) => state(n, seed % 1000, p, g, factor)));

const step = ([p, m, v, mMax, vMax, g, factor]: readonly Tensor[], attrs: AdamWAttrs): readonly Tensor[] => {
  adamW8bit(p!, { m: m!, v: v!, mMax: mMax!, vMax: vMax! }, g!, factor!, attrs);
  return [p!, m!, v!, mMax!, vMax!];
};

function reference([p, m, v, mMax, vMax, g, factor]: readonly Value[], attrs: AdamWAttrs): Value[] {
  const f32 = (x: Value): Float32Array => Float32Array.from(x.data);
  const moment = (codes: Value, absmax: Value): { codes: Uint8Array; absmax: Float32Array } => ({
    codes: Uint8Array.from(codes.data),
    absmax: f32(absmax),
  });
  const gradient = f32(g!).map((x) => x * factor!.data[0]!);
  const next = adamW8BitStep(f32(p!), gradient, { m: moment(m!, mMax!), v: moment(v!, vMax!) }, attrs);
  const floats = (like: Value, data: Float32Array): Value => ({ ...like, data: [...data] });
  const codes = (data: Uint8Array): Value => ({ ...m!, data: [...data] });
  return [floats(p!, next.parameter), codes(next.m.codes), codes(next.v.codes), floats(mMax!, next.m.absmax), floats(vMax!, next.v.absmax)];
}

const EXACT = { absolute: 0, relative: 0 };
const wave = (n: number, by: number): Value => fill([n], (i) => Math.fround(Math.sin(i! * by)));

export const adamw8bitCases: CaseTable = {
  cases: [
    row({ title: "gives the bits of the reference arithmetic", given: states, run: step, reference, tolerance: EXACT }),
    row({
      title: "gives them on a parameter that threads share",
      given: [state(20_011, 5, wave(20_011, 0.1), wave(20_011, 0.7))],
      run: step,
      reference,
      tolerance: EXACT,
    }),
    row({
      title: "leaves an element alone whose gradient is not finite, and clears its moments",
      given: [state(4, 1, input([1, 2, 3, 4]), input([0.5, Number.NaN, Number.POSITIVE_INFINITY, -0.5]))],
      run: step,
      reference,
      tolerance: EXACT,
    }),
    row({
      title: "steps from a state of zeros",
      given: [
        given(
          [
            wave(300, 0.1),
            fill([300], () => 0, "u8"),
            fill([300], () => 0, "u8"),
            fill([2], () => 0),
            fill([2], () => 0),
            wave(300, 0.9),
            fill([], () => 1),
          ],
          { ...ATTRS, step: 1 },
        ),
      ],
      run: step,
      reference,
      tolerance: EXACT,
    }),
  ],
  refusals: [
    {
      title: "moments that are not u8",
      call: (b) =>
        adamW8bit(
          zeros(b, [2]),
          { m: zeros(b, [2]), v: zeros(b, [2], "u8"), mMax: zeros(b, [1]), vMax: zeros(b, [1]) },
          zeros(b, [2]),
          zeros(b, []),
          ATTRS,
        ),
      error: DTypeError,
      fields: { op: "adamW8bit", dtypes: ["f32", "f32", "u8", "f32"] },
    },
    {
      title: "scales that are not one a block",
      call: (b) =>
        adamW8bit(
          zeros(b, [300]),
          { m: zeros(b, [300], "u8"), v: zeros(b, [300], "u8"), mMax: zeros(b, [1]), vMax: zeros(b, [2]) },
          zeros(b, [300]),
          zeros(b, []),
          ATTRS,
        ),
      error: ShapeError,
      fields: { op: "adamW8bit", shapes: [[300], [1]] },
    },
  ],
};
