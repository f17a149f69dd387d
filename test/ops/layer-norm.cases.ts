import { layerNorm } from "@qlora-js/core";
import fc from "fast-check";
import { normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { at, fill, total } from "../value.ts";

export const layerNormCases: CaseTable = {
  cases: [
    row({
      title: "centres and scales each row",
      given: fc
        .tuple(shapes({ maxRank: 2 }), sizes(7, 2), fc.constantFrom(1e-1, 1e-5))
        .chain(([rows, n, epsilon]) =>
          fc.tuple(normals([...rows, n]), normals([n]), normals([n])).map((inputs) => given(inputs, { epsilon })),
        ),
      run: ([x, weight, bias], { epsilon }) => layerNorm(x!, weight!, bias!, epsilon),
      reference: ([x, weight, bias], { epsilon }) => {
        const n = x!.shape.at(-1)!;
        return fill(x!.shape, (...i) => {
          const r = i.slice(0, -1);
          const mean = total(n, (j) => at(x!, ...r, j)) / n;
          const variance = total(n, (j) => (at(x!, ...r, j) - mean) ** 2) / n;
          return ((at(x!, ...i) - mean) / Math.sqrt(variance + epsilon)) * at(weight!, i.at(-1)!) + at(bias!, i.at(-1)!);
        });
      },
      tolerance: { absolute: 5e-6, relative: 1e-5 },
      gradients: [0, 1, 2],
      gradientTolerance: { absolute: 2e-4, relative: 2e-4 },
    }),
  ],
};
