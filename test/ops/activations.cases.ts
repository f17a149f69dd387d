import { gelu, geluTanh, relu, silu, type Tensor } from "@qlora-js/core";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { map } from "../value.ts";
import { erfByIntegral } from "./elementwise.cases.ts";

const activation = (name: string, run: (x: Tensor) => Tensor, f: (x: number) => number): Row<unknown> =>
  row({
    title: `${name} of tensors of any shape`,
    given: shapes().chain((shape) => within(shape, { low: -4, high: 4 }).map((x) => given([x]))),
    run: ([x]) => run(x!),
    reference: ([x]) => map(x!, f),
    gradients: [0],
  });

export const activationsCases: CaseTable = {
  cases: [
    activation("relu", relu, (x) => Math.max(x, 0)),
    activation("silu", silu, (x) => x / (1 + Math.exp(-x))),
    activation("gelu", gelu, (x) => (x / 2) * (1 + erfByIntegral(x / Math.SQRT2))),
    activation("geluTanh", geluTanh, (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  ],
};
