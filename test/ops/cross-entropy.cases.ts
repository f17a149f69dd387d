import { crossEntropy, ShapeError, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { at, fill, input, total, type Value } from "../value.ts";

/** ln Σ_v e^z[v] − z[target], a row */
export function crossEntropyOf(logits: Value, targets: Value): Value {
  const n = logits.shape.at(-1)!;
  return fill(targets.shape, (...r) => {
    const largest = Math.max(...Array.from({ length: n }, (_, v) => at(logits, ...r, v)));
    return largest + Math.log(total(n, (v) => Math.exp(at(logits, ...r, v) - largest))) - at(logits, ...r, at(targets, ...r));
  });
}

export const crossEntropyCases: CaseTable = {
  cases: [
    row({
      title: "is the negative logarithm of the target's probability",
      given: fc
        .tuple(shapes({ maxRank: 3 }), sizes(9, 1))
        .chain(([rows, n]) => fc.tuple(normals([...rows, n], 3), ids(rows, n)).map((inputs) => given(inputs))),
      run: ([logits, targets]) => crossEntropy(logits!, targets!),
      reference: ([logits, targets]) => crossEntropyOf(logits!, targets!),
      tolerance: { absolute: 3e-6, relative: 3e-6 },
      gradients: [0],
    }),
    row({
      title: "does not overflow where logits are large",
      given: [given([input([900, -900, 0, -1000, -1001, -1002], [2, 3]), input([1, 0], [2], "i32")])],
      run: ([logits, targets]) => crossEntropy(logits!, targets!),
      reference: ([logits, targets]) => crossEntropyOf(logits!, targets!),
    }),
  ],
  refusals: [
    {
      title: "targets that are not one a row",
      call: (b) => crossEntropy(zeros(b, [2, 3]), zeros(b, [3], "i32")),
      error: ShapeError,
      fields: { op: "gather", shapes: [[2, 3], [3]] },
    },
  ],
};
