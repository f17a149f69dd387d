// Every dtype into every other, at the values where rounding, range and NaN show.
import { bf16ToNumber, cast, type DType, f16ToNumber, numberToBf16, numberToF16 } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { input, type Value } from "../value.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const EDGES: Record<DType, readonly number[]> = {
  f32: [
    0,
    -0,
    1.5,
    -1.5,
    2.5,
    -0.9,
    255.9,
    256,
    65519.9,
    65520,
    1e-8,
    6e-8,
    3e38,
    -3e38,
    1.00390625,
    1.01171875,
    2147483520,
    3e9,
    -3e9,
    nan,
    inf,
    -inf,
  ],
  f16: [0, -0, 1.5, -2.5, 65504, 6e-8, nan, inf, -inf, 300],
  bf16: [0, -0, 1.5, -2.5, 3e38, 1e-40, nan, inf, -inf, 300],
  i32: [0, 1, -1, 255, 256, 16777217, -(2 ** 31), 2 ** 31 - 1],
  u8: [0, 1, 127, 128, 255],
};
const DTYPES = Object.keys(EDGES) as DType[];

const clamp = (x: number, low: number, high: number): number => (Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))));
const ROUND: Record<DType, (x: number) => number> = {
  f32: Math.fround,
  bf16: (x) => bf16ToNumber(numberToBf16(x)),
  f16: (x) => f16ToNumber(numberToF16(x)),
  i32: (x) => clamp(x, -(2 ** 31), 2 ** 31 - 1),
  u8: (x) => clamp(x, 0, 255),
};
const EXACT = { absolute: 0, relative: 0 };
const convert = (x: Value, dtype: DType): Value => ({ shape: x.shape, dtype, data: x.data.map((v) => ROUND[dtype](v)) });

export const castCases: CaseTable = {
  cases: [
    ...DTYPES.flatMap((from) =>
      DTYPES.map((to) =>
        row({
          title: `casts ${from} to ${to} at its edges`,
          given: [given([input(EDGES[from], undefined, from)]), given([input([], [0, 3], from)])],
          run: ([x]) => cast(x!, to),
          reference: ([x]) => convert(x!, to),
          tolerance: EXACT,
        }),
      ),
    ),
    ...DTYPES.flatMap((from) =>
      DTYPES.map((to) =>
        row({
          title: `casts ${from} to ${to} on threads`,
          given: [given([{ shape: [40_003], dtype: from, data: Array.from({ length: 40_003 }, (_, i) => (i * 7) % 251) }])],
          run: ([x]) => cast(x!, to),
          reference: ([x]) => convert(x!, to),
          tolerance: EXACT,
        }),
      ),
    ),
    row({
      title: "casts tensors of any shape to 16 bits and back",
      given: fc
        .tuple(shapes(), fc.constantFrom("bf16" as const, "f16" as const))
        .chain(([shape, dtype]) => within(shape, { low: -300, high: 300 }).map((x) => given([x], { dtype }))),
      run: ([x], { dtype }) => cast(cast(x!, dtype), "f32"),
      reference: ([x], { dtype }) => convert(convert(x!, dtype), "f32"),
      tolerance: EXACT,
    }),
  ],
};
