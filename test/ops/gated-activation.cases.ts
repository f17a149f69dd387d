// Gated activations, fused and composed of other ops.
import { type Activation, DTypeError, gatedActivation, geglu, mul, ShapeError, swiglu, type Tensor, zeros } from "@qlora-js/core";
import fc from "fast-check";
import { shapes, within } from "../arbitraries.ts";
import { type CaseTable, given, type Row, row } from "../conformance.ts";
import { fill, input, type Value, zip } from "../value.ts";
import { COMPOSITES, CURVES } from "./activation.cases.ts";

const reference =
  (name: Activation) =>
  ([gate, up]: readonly Value[]): Value =>
    zip(gate!, up!, (g, u) => CURVES[name](g) * u);
const TOLERANCE = { absolute: 2e-6, relative: 3e-6 };

const checked = (title: string, name: Activation, run: (gate: Tensor, up: Tensor) => Tensor): Row<unknown> =>
  row({
    title,
    given: shapes().chain((shape) => fc.tuple(within(shape, { low: -6, high: 6 }), within(shape)).map((inputs) => given(inputs))),
    run: ([gate, up]) => run(gate!, up!),
    reference: reference(name),
    tolerance: TOLERANCE,
    gradients: [0, 1],
  });

export const gatedActivationCases: CaseTable = {
  cases: [
    checked("swiglu gates one tensor by the silu of another", "silu", swiglu),
    checked("geglu gates one tensor by the geluTanh of another", "geluTanh", geglu),
    ...(Object.keys(CURVES) as Activation[]).flatMap((name) => [
      checked(`gates one tensor by the ${name} of another`, name, (gate, up) => gatedActivation(gate, up, name)),
      checked(`composite: ${name}(gate) times up`, name, (gate, up) => mul(COMPOSITES[name](gate), up)),
      row({
        title: `gates tensors that threads share by ${name}`,
        comparedWithPlain: [0, 1],
        given: [
          given([
            fill([165, 257], (i, j) => Math.fround(Math.sin(i! * 257 + j!) * 4)),
            fill([165, 257], (i, j) => Math.fround(Math.cos(i! + j!))),
          ]),
        ],
        run: ([gate, up]) => gatedActivation(gate!, up!, name),
        reference: reference(name),
        tolerance: TOLERANCE,
      }),
      row({
        title: `goes to 0 and to gate times up far from 0 by ${name}`,
        given: [given([input([-100, -30, 30, 100]), input([2, 2, 2, 2])])],
        run: ([gate, up]) => gatedActivation(gate!, up!, name),
        reference: reference(name),
        gradients: [0, 1],
      }),
    ]),
  ],
  refusals: [
    {
      title: "shapes that differ",
      call: (b) => swiglu(zeros(b, [2, 3]), zeros(b, [3])),
      error: ShapeError,
      fields: { op: "gatedActivation", shapes: [[2, 3], [3]] },
    },
    {
      title: "16 bits",
      call: (b) => geglu(zeros(b, [2]), zeros(b, [2], "bf16")),
      error: DTypeError,
      fields: { op: "gatedActivation", dtypes: ["f32", "bf16"] },
    },
  ],
};
