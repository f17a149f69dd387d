// SwiGLU, fused and composed of other ops.
import { DTypeError, mul, ShapeError, silu, swiglu, type Tensor, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { fill, input, type Value, zip } from "../value.ts";

const reference = ([gate, up]: readonly Value[]): Value => zip(gate!, up!, (g, u) => (g / (1 + Math.exp(-g))) * u);
const checked = (title: string, run: (gate: Tensor, up: Tensor) => Tensor): Row<unknown> =>
  row({
    title,
    given: shapes().chain((shape) => fc.tuple(within(shape, { low: -6, high: 6 }), within(shape)).map((inputs) => given(inputs))),
    run: ([gate, up]) => run(gate!, up!),
    reference,
    tolerance: { absolute: 2e-6, relative: 3e-6 },
    gradients: [0, 1],
  });

export const swigluCases: CaseTable = {
  cases: [
    checked("gates one tensor by the silu of another", swiglu),
    checked("composite: silu(gate) times up", (gate, up) => mul(silu(gate), up)),
    row({
      title: "gates tensors that threads share",
      comparedWithPlain: [0, 1],
      given: [
        given([
          fill([165, 257], (i, j) => Math.fround(Math.sin(i! * 257 + j!) * 4)),
          fill([165, 257], (i, j) => Math.fround(Math.cos(i! + j!))),
        ]),
      ],
      run: ([gate, up]) => swiglu(gate!, up!),
      reference,
      tolerance: { absolute: 2e-6, relative: 3e-6 },
    }),
    row({
      title: "goes to 0 and to gate times up far from 0",
      given: [given([input([-100, -30, 30, 100]), input([2, 2, 2, 2])])],
      run: ([gate, up]) => swiglu(gate!, up!),
      reference,
      gradients: [0, 1],
    }),
  ],
  refusals: [
    {
      title: "shapes that differ",
      call: (b) => swiglu(zeros(b, [2, 3]), zeros(b, [3])),
      error: ShapeError,
      fields: { op: "swiglu", shapes: [[2, 3], [3]] },
    },
    {
      title: "16 bits",
      call: (b) => swiglu(zeros(b, [2]), zeros(b, [2], "bf16")),
      error: DTypeError,
      fields: { op: "swiglu", dtypes: ["f32", "bf16"] },
    },
  ],
};
