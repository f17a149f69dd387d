// Launchers of the elementwise kernels. Inputs of equal shapes are cut into chunks; those that broadcast are walked by rows (broadcast-plan.ts).
import { type Kernel, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { broadcastPlans, CHUNK } from "./broadcast-plan.ts";

type None = Record<never, never>;

/** The kernel's number of each op; elementwise.as.ts has the same ones. */
const TWO = { add: 0, sub: 1, mul: 2, div: 3, maximum: 4, minimum: 5, greater: 6, greaterEqual: 7, equal: 8, first: 9 } as const;
const ONE = { neg: 0, abs: 1, sign: 2, square: 3, exp: 4, log: 5, sqrt: 6, tanh: 7, sigmoid: 8, erf: 9 } as const;

/** y = op(a, b); b may be a itself. */
export function runBinary(rt: Runtime, op: keyof typeof TWO, [a, b]: readonly [View, View], y: View): void {
  for (const { plan, outputOffset, offsets } of broadcastPlans(y.shape, [a.shape, b.shape])) {
    const { total, n, rows, grain, rows1, steps, strides1, strides0 } = plan;
    const pointers = [rt.pointer(y) + 4 * outputOffset, rt.pointer(a) + 4 * offsets[0]!, rt.pointer(b) + 4 * offsets[1]!];
    rt.run("elementwiseBinary", [TWO[op], ...pointers, total, n, ...steps, rows1, ...strides1, ...strides0], rows, grain);
  }
}

const two =
  (op: keyof typeof TWO): Kernel<Runtime, None> =>
  (rt, inputs, [y]) =>
    runBinary(rt, op, inputs as [View, View], y!);

const chunks = (view: View): number => Math.ceil(sizeOf(view.shape) / CHUNK);

const one =
  (op: keyof typeof ONE): Kernel<Runtime, None> =>
  (rt, [x], [y]) =>
    rt.run("elementwiseUnary", [ONE[op], rt.pointer(y!), rt.pointer(x!), sizeOf(y!.shape), CHUNK], chunks(y!));

const scalar =
  (kernel: string): Kernel<Runtime, None> =>
  (rt, [x], [y]) =>
    rt.run(kernel, [rt.pointer(y!), rt.pointer(x!), sizeOf(y!.shape), CHUNK], chunks(y!));

export const elementwiseKernels = {
  add: two("add"),
  sub: two("sub"),
  mul: two("mul"),
  div: two("div"),
  maximum: two("maximum"),
  minimum: two("minimum"),
  greater: two("greater"),
  greaterEqual: two("greaterEqual"),
  equal: two("equal"),
  where: (rt, inputs, [y]) => {
    const shapes = inputs.map(({ shape }) => shape);
    for (const { plan, outputOffset, offsets } of broadcastPlans(y!.shape, shapes)) {
      const { total, n, rows, grain, rows1, steps, strides1, strides0 } = plan;
      const pointers = inputs.map((x, i) => rt.pointer(x) + 4 * offsets[i]!);
      rt.run(
        "elementwiseWhere",
        [rt.pointer(y!) + 4 * outputOffset, ...pointers, total, n, ...steps, rows1, ...strides1, ...strides0],
        rows,
        grain,
      );
    }
  },
  affine: (rt, [x], [y], { factor, offset }) =>
    rt.run("elementwiseAffine", [rt.pointer(y!), rt.pointer(x!), factor, offset, sizeOf(y!.shape), CHUNK], chunks(y!)),
  neg: one("neg"),
  abs: one("abs"),
  sign: one("sign"),
  square: one("square"),
  exp: one("exp"),
  log: one("log"),
  sqrt: one("sqrt"),
  sin: scalar("elementwiseSin"),
  cos: scalar("elementwiseCos"),
  tanh: one("tanh"),
  sigmoid: one("sigmoid"),
  erf: one("erf"),
} satisfies Partial<KernelTable<Runtime>>;
