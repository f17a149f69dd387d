// Elementwise ops, a row each: the formula in WGSL, over f32. Inputs broadcast to the output. NaN is told from numbers by its bits, because a compiler may
// assume that there is none; the functions whose accuracy WGSL leaves open are ours (math.ts).
import { type Kernel, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { type Constant, type Float, float, type Gpu } from "../dispatch.ts";
import { broadcastIndex, planBroadcast } from "./broadcast-plan.ts";
import { MATH } from "./math.ts";

interface Row {
  /** Of a, b and c, as many as the op has inputs, and params. */
  readonly formula: string;
  /** Functions it calls. */
  readonly functions?: string;
}

const NAMES = ["a", "b", "c"] as const;

/** y[i] = formula(a[…], b[…], c[…]) */
function elementwise(gpu: Gpu, name: string, inputs: readonly View[], y: View, row: Row, more: Record<string, number | Float> = {}): void {
  const names = NAMES.slice(0, inputs.length);
  const plan = planBroadcast(
    y.shape,
    inputs.map((x) => x.shape),
  );
  const { wgsl, params } = broadcastIndex(names, plan);
  const constants: Record<string, Constant> = { indexing: wgsl };
  gpu.dispatch({
    name,
    constants,
    reads: Object.fromEntries(names.map((n, i) => [n, inputs[i]!])),
    writes: { y },
    params: { ...params, ...more },
    grid: { threads: sizeOf(y.shape) },
    wgsl: () => `${row.functions ?? ""}
${wgsl}
fn formula(${names.map((n) => `${n}: f32`).join(", ")}) -> f32 { return ${row.formula}; }
fn thread(i: u32) { y[i] = formula(${names.map((n) => `${n}_at(${n}_index(i))`).join(", ")}); }`,
  });
}

const kernel =
  (name: string, formula: string, functions?: string): Kernel<Gpu, Record<never, never>> =>
  (gpu, inputs, outputs) =>
    elementwise(gpu, name, inputs, outputs[0]!, functions ? { formula, functions } : { formula });

const { isNan, exp, log, trigonometric, tanh, sigmoid, erf, divide, squareRoot } = MATH;

export const elementwiseKernels = {
  add: kernel("add", "a + b"),
  sub: kernel("sub", "a - b"),
  mul: kernel("mul", "a * b"),
  div: kernel("div", "divide(a, b)", divide),
  maximum: kernel("maximum", "select(select(max(a, b), b, is_nan(b)), a, is_nan(a))", isNan),
  minimum: kernel("minimum", "select(select(min(a, b), b, is_nan(b)), a, is_nan(a))", isNan),
  greater: kernel("greater", "select(0.0, 1.0, a > b && !is_nan(a) && !is_nan(b))", isNan),
  greaterEqual: kernel("greaterEqual", "select(0.0, 1.0, a >= b && !is_nan(a) && !is_nan(b))", isNan),
  equal: kernel("equal", "select(0.0, 1.0, a == b && !is_nan(a) && !is_nan(b))", isNan),
  where: kernel("where", "select(c, b, (bitcast<u32>(a) & 0x7fffffffu) != 0u)"),
  affine: (gpu, inputs, outputs, { factor, offset }) =>
    elementwise(
      gpu,
      "affine",
      inputs,
      outputs[0]!,
      { formula: "a * params.factor + params.offset" },
      { factor: float(factor), offset: float(offset) },
    ),
  neg: kernel("neg", "-a"),
  abs: kernel("abs", "abs(a)"),
  sign: kernel("sign", "select(sign(a), a, is_nan(a) || a == 0.0)", isNan),
  square: kernel("square", "a * a"),
  exp: kernel("exp", "exp_(a)", exp),
  log: kernel("log", "log_(a)", log),
  sqrt: kernel("sqrt", "sqrt_(a)", squareRoot),
  sin: kernel("sin", "sin_(a)", trigonometric),
  cos: kernel("cos", "cos_(a)", trigonometric),
  tanh: kernel("tanh", "tanh_(a)", tanh),
  sigmoid: kernel("sigmoid", "sigmoid(a)", sigmoid),
  erf: kernel("erf", "erf(a)", erf),
} satisfies Partial<KernelTable<Gpu>>;
