// Which elements go is a function of the key; here it is written out from the random bits themselves.
import { ArgumentError, DTypeError, dropout, key, type RandomKey, threefry, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { normals, seeds, shapes } from "../arbitraries.ts";
import { type CaseTable, type Given, given, row } from "../conformance.ts";
import { fill, type Value } from "../value.ts";

interface Attrs {
  readonly rate: number;
  readonly key: RandomKey;
}

/** 24 bits of word i mod 2 of block ⌊i / 2⌋, as a fraction, decide. */
function dropped([x]: readonly Value[], { rate, key: k }: Attrs): Value {
  const data = x!.data.map((v, i) => {
    const fraction = Math.floor(threefry(k, Math.floor(i / 2), 0)[i % 2]! / 256) / 2 ** 24;
    return fraction < rate ? 0 : v / (1 - rate);
  });
  return { ...x!, data };
}

const draws: fc.Arbitrary<Given<Attrs>> = fc
  .tuple(shapes(), fc.constantFrom(0, 0.1, 0.5, 0.9), seeds)
  .chain(([shape, rate, seed]) => normals(shape).map((x) => given([x], { rate, key: key(seed) })));

export const dropoutCases: CaseTable = {
  cases: [
    row({
      title: "drops by the key and scales what is left",
      given: draws,
      run: ([x], { rate, key: k }) => dropout(x!, rate, k),
      reference: dropped,
      gradients: [0],
    }),
    row({
      title: "drops a tensor that threads share",
      comparedWithPlain: [0],
      given: [given([fill([171, 301], () => 1)], { rate: 0.3, key: key(2 ** 40 + 7) })],
      run: ([x], { rate, key: k }) => dropout(x!, rate, k),
      reference: dropped,
    }),
  ],
  refusals: [
    ...[1, -0.1, Number.NaN].map((rate) => ({
      title: `the rate ${rate}`,
      call: (b: Parameters<typeof zeros>[0]) => dropout(zeros(b, [2]), rate, key(0)),
      error: ArgumentError,
      fields: { op: "dropout", argument: "rate", value: rate },
    })),
    {
      title: "16 bits",
      call: (b) => dropout(zeros(b, [2], "f16"), 0.5, key(0)),
      error: DTypeError,
      fields: { op: "dropout", dtypes: ["f16"] },
    },
  ],
};
