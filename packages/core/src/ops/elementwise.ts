// Elementwise ops, a row each: the name, and how a gradient comes back. Broadcasting is undone in one place, tape.ts, never here.
// Rules use only elementwise ops, so this table is self-contained.
import { DTypeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type One = readonly [Tensor];
type Two = readonly [Tensor, Tensor];
type Three = readonly [Tensor, Tensor, Tensor];
type None = Record<never, never>;

/** All inputs f32; the output has the shape they broadcast to. */
function infer(name: string) {
  return (inputs: readonly Tensor[], _: object) => {
    const wrong = inputs.find((x) => x.dtype !== "f32");
    if (wrong)
      throw new DTypeError(
        name,
        inputs.map((x) => x.dtype),
        `computes in f32, but one input is ${wrong.dtype}. Cast it with cast(x, "f32").`,
      );
    return { shape: inputs.map((x) => x.shape).reduce((a, b) => broadcastShapes(name, a, b)), dtype: "f32" as const };
  };
}

export const addOp = defineOp({ name: "add", infer: (i: Two, a: None) => infer("add")(i, a), vjp: ({ grad }) => [() => grad, () => grad] });
export const subOp = defineOp({
  name: "sub",
  infer: (i: Two, a: None) => infer("sub")(i, a),
  vjp: ({ grad }) => [() => grad, () => neg(grad)],
});
export const mulOp = defineOp({
  name: "mul",
  infer: (i: Two, a: None) => infer("mul")(i, a),
  saves: [0, 1],
  vjp: ({ inputs: [a, b], grad }) => [() => mul(grad, b), () => mul(grad, a)],
});
export const divOp = defineOp({
  name: "div",
  infer: (i: Two, a: None) => infer("div")(i, a),
  saves: [0, 1],
  vjp: ({ inputs: [a, b], grad }) => [() => div(grad, b), () => neg(div(mul(grad, a), mul(b, b)))],
});
export const maximumOp = defineOp({
  name: "maximum",
  infer: (i: Two, a: None) => infer("maximum")(i, a),
  saves: [0, 1],
  vjp: ({ inputs: [a, b], grad }) => [() => mul(grad, greaterEqual(a, b)), () => mul(grad, greater(b, a))],
});
export const minimumOp = defineOp({
  name: "minimum",
  infer: (i: Two, a: None) => infer("minimum")(i, a),
  saves: [0, 1],
  vjp: ({ inputs: [a, b], grad }) => [() => mul(grad, greaterEqual(b, a)), () => mul(grad, greater(a, b))],
});
export const greaterOp = defineOp({ name: "greater", infer: (i: Two, a: None) => infer("greater")(i, a), vjp: () => [null, null] });
export const greaterEqualOp = defineOp({
  name: "greaterEqual",
  infer: (i: Two, a: None) => infer("greaterEqual")(i, a),
  vjp: () => [null, null],
});
export const equalOp = defineOp({ name: "equal", infer: (i: Two, a: None) => infer("equal")(i, a), vjp: () => [null, null] });
export const whereOp = defineOp({
  name: "where",
  infer: (i: Three, a: None) => infer("where")(i, a),
  saves: [0],
  vjp: ({ inputs: [mask], grad }) => [null, () => where(mask, grad, scale(grad, 0)), () => where(mask, scale(grad, 0), grad)],
});
export const affineOp = defineOp({
  name: "affine",
  infer: (i: One, a: { readonly factor: number; readonly offset: number }) => infer("affine")(i, a),
  vjp: ({ attrs: { factor }, grad }) => [() => scale(grad, factor)],
});
export const negOp = defineOp({ name: "neg", infer: (i: One, a: None) => infer("neg")(i, a), vjp: ({ grad }) => [() => neg(grad)] });
export const absOp = defineOp({
  name: "abs",
  infer: (i: One, a: None) => infer("abs")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => mul(grad, sign(x))],
});
export const signOp = defineOp({ name: "sign", infer: (i: One, a: None) => infer("sign")(i, a), vjp: () => [null] });
export const squareOp = defineOp({
  name: "square",
  infer: (i: One, a: None) => infer("square")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => mul(grad, scale(x, 2))],
});
export const expOp = defineOp({
  name: "exp",
  infer: (i: One, a: None) => infer("exp")(i, a),
  savesOutputs: [0],
  vjp: ({ output, grad }) => [() => mul(grad, output)],
});
export const logOp = defineOp({
  name: "log",
  infer: (i: One, a: None) => infer("log")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => div(grad, x)],
});
export const sqrtOp = defineOp({
  name: "sqrt",
  infer: (i: One, a: None) => infer("sqrt")(i, a),
  savesOutputs: [0],
  vjp: ({ output, grad }) => [() => div(grad, scale(output, 2))],
});
export const sinOp = defineOp({
  name: "sin",
  infer: (i: One, a: None) => infer("sin")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => mul(grad, cos(x))],
});
export const cosOp = defineOp({
  name: "cos",
  infer: (i: One, a: None) => infer("cos")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => neg(mul(grad, sin(x)))],
});
// d tanh = 1 − tanh²
export const tanhOp = defineOp({
  name: "tanh",
  infer: (i: One, a: None) => infer("tanh")(i, a),
  savesOutputs: [0],
  vjp: ({ output, grad }) => [() => mul(grad, addScalar(neg(square(output)), 1))],
});
// dσ = σ·(1 − σ)
export const sigmoidOp = defineOp({
  name: "sigmoid",
  infer: (i: One, a: None) => infer("sigmoid")(i, a),
  savesOutputs: [0],
  vjp: ({ output, grad }) => [() => mul(grad, mul(output, addScalar(neg(output), 1)))],
});
// d erf = 2/√π · e^(−x²)
export const erfOp = defineOp({
  name: "erf",
  infer: (i: One, a: None) => infer("erf")(i, a),
  saves: [0],
  vjp: ({ inputs: [x], grad }) => [() => mul(grad, scale(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))],
});

/**
 * a + b, broadcasting: f32 of any shapes a and b → the shape they broadcast to.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const add = (a: Tensor, b: Tensor): Tensor => apply(addOp, [a, b], {});
/**
 * a − b, broadcasting: f32 of any shapes a and b → the shape they broadcast to.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const sub = (a: Tensor, b: Tensor): Tensor => apply(subOp, [a, b], {});
/**
 * a · b, elementwise, broadcasting: f32 of any shapes a and b → the shape they broadcast to.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const mul = (a: Tensor, b: Tensor): Tensor => apply(mulOp, [a, b], {});
/**
 * a / b, elementwise, broadcasting: f32 of any shapes a and b → the shape they broadcast to.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const div = (a: Tensor, b: Tensor): Tensor => apply(divOp, [a, b], {});
/**
 * The larger of a and b, broadcasting: f32 of any shapes → the shape they broadcast to. Where equal, the gradient goes to a.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const maximum = (a: Tensor, b: Tensor): Tensor => apply(maximumOp, [a, b], {});
/**
 * The smaller of a and b, broadcasting: f32 of any shapes → the shape they broadcast to. Where equal, the gradient goes to a.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const minimum = (a: Tensor, b: Tensor): Tensor => apply(minimumOp, [a, b], {});
/**
 * 1 where a > b, else 0, broadcasting: f32 of any shapes → the shape they broadcast to. No gradient.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const greater = (a: Tensor, b: Tensor): Tensor => apply(greaterOp, [a, b], {});
/**
 * 1 where a ≥ b, else 0, broadcasting: f32 of any shapes → the shape they broadcast to. No gradient.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const greaterEqual = (a: Tensor, b: Tensor): Tensor => apply(greaterEqualOp, [a, b], {});
/**
 * 1 where a = b, else 0, broadcasting: f32 of any shapes → the shape they broadcast to. No gradient.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const equal = (a: Tensor, b: Tensor): Tensor => apply(equalOp, [a, b], {});
/**
 * a where mask is not 0, else b, broadcasting: f32 of any shapes → the shape they broadcast to of all three. No gradient flows to the mask.
 * @throws ShapeError if they do not broadcast
 * @throws DTypeError if one is not f32
 */
export const where = (mask: Tensor, a: Tensor, b: Tensor): Tensor => apply(whereOp, [mask, a, b], {});
/**
 * x · factor + offset, two numbers: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const affine = (x: Tensor, factor: number, offset: number): Tensor => apply(affineOp, [x], { factor, offset });
/**
 * x · factor, a number: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const scale = (x: Tensor, factor: number): Tensor => affine(x, factor, 0);
/**
 * x + offset, a number: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const addScalar = (x: Tensor, offset: number): Tensor => affine(x, 1, offset);
/**
 * −x: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const neg = (x: Tensor): Tensor => apply(negOp, [x], {});
/**
 * |x|: f32 of any shape → the same shape. Its gradient is sign(x), 0 at 0.
 * @throws DTypeError if x is not f32
 */
export const abs = (x: Tensor): Tensor => apply(absOp, [x], {});
/**
 * −1, 0 or 1 by the sign of x: f32 of any shape → the same shape. No gradient.
 * @throws DTypeError if x is not f32
 */
export const sign = (x: Tensor): Tensor => apply(signOp, [x], {});
/**
 * x²: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const square = (x: Tensor): Tensor => apply(squareOp, [x], {});
/**
 * eˣ: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const exp = (x: Tensor): Tensor => apply(expOp, [x], {});
/**
 * The natural logarithm: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const log = (x: Tensor): Tensor => apply(logOp, [x], {});
/**
 * √x: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const sqrt = (x: Tensor): Tensor => apply(sqrtOp, [x], {});
/**
 * sin x, x in radians: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const sin = (x: Tensor): Tensor => apply(sinOp, [x], {});
/**
 * cos x, x in radians: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const cos = (x: Tensor): Tensor => apply(cosOp, [x], {});
/**
 * tanh x: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const tanh = (x: Tensor): Tensor => apply(tanhOp, [x], {});
/**
 * 1 / (1 + e⁻ˣ): f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const sigmoid = (x: Tensor): Tensor => apply(sigmoidOp, [x], {});
/**
 * The error function, 2/√π ∫₀ˣ e^(−t²) dt: f32 of any shape → the same shape.
 * @throws DTypeError if x is not f32
 */
export const erf = (x: Tensor): Tensor => apply(erfOp, [x], {});
