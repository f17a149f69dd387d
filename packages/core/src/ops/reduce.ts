// sum and broadcastTo are each other's gradient, so they share a file. maxTo reduces by the same rule of shapes.
import { ArgumentError, DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp, type Spec } from "../op.ts";
import { broadcastShapes, normalizeAxis, type Shape, sameShape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { equal, mul, scale } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

type One = readonly [Tensor];

function between(op: string, small: Shape, large: Shape, { dtype }: Tensor, shape: Shape): Spec {
  if (dtype !== "f32") throw new DTypeError(op, [dtype], `computes in f32, not ${dtype}. Cast first.`);
  if (!sameShape(broadcastShapes(op, small, large), large))
    throw new ShapeError(op, [small, large], `${show(small)} does not broadcast to ${show(large)}.`);
  return { shape, dtype: "f32" };
}

/** Sums x down to a shape that broadcasts to x's. */
export const sumToOp = defineOp({
  name: "sumTo",
  infer: ([x]: One, { shape }: { readonly shape: Shape }) => between("sumTo", shape, x.shape, x, shape),
  vjp: ({ inputs: [x], grad }) => [() => broadcastTo(grad, x.shape)],
});
/** Repeats x up to a shape that it broadcasts to. */
export const broadcastToOp = defineOp({
  name: "broadcastTo",
  infer: ([x]: One, { shape }: { readonly shape: Shape }) => between("broadcastTo", x.shape, shape, x, shape),
  vjp: ({ inputs: [x], grad }) => [() => sumTo(grad, x.shape)],
});
/** The largest of what sumTo would add up; −∞ of nothing. */
export const maxToOp = defineOp({
  name: "maxTo",
  infer: ([x]: One, { shape }: { readonly shape: Shape }) => between("maxTo", shape, x.shape, x, shape),
  saves: [0],
  savesOutputs: [0],
  // equal maxima each get the gradient, as in torch.amax before it is divided among them
  vjp: ({ inputs: [x], output, grad }) => [() => mul(equal(x, output), grad)],
});

/** Sums f32 x down to `shape`, which must broadcast to x's. @throws ShapeError if it does not, DTypeError if x is not f32 */
export const sumTo = (x: Tensor, shape: Shape): Tensor => apply(sumToOp, [x], { shape });
/** Repeats f32 x up to `shape`, which its own must broadcast to. @throws ShapeError if it does not, DTypeError if x is not f32 */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor => apply(broadcastToOp, [x], { shape });
const maxTo = (x: Tensor, shape: Shape): Tensor => apply(maxToOp, [x], { shape });

/** Along which axes, and whether they stay as 1. */
export interface ReduceOptions {
  /** The axis or axes to reduce, from the end when negative; all if left out. */
  readonly axis?: number | readonly number[];
  /** Leave reduced axes in place with size 1. */
  readonly keepDims?: boolean;
}

/** The sum of f32 x over some axes, or over all: shape [] then. 0 of nothing. @throws ShapeError if there is no such axis, DTypeError if x is not f32 */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce("sum", sumTo, x, options);
/** The mean of f32 x over some axes, or over all: shape [] then. @throws ShapeError if there is no such axis, DTypeError if x is not f32 */
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  const total = sum(x, options);
  return scale(total, sizeOf(total.shape) / sizeOf(x.shape));
};
/** The maximum of f32 x over some axes, or over all: shape [] then. −∞ of nothing. @throws ShapeError if there is no such axis, DTypeError if x is not f32 */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce("max", maxTo, x, options);

function reduce(op: string, to: (x: Tensor, shape: Shape) => Tensor, x: Tensor, { axis, keepDims = false }: ReduceOptions): Tensor {
  const axes = new Set((axis === undefined ? x.shape.map((_, i) => i) : [axis].flat()).map((a) => normalizeAxis(op, x.shape, a)));
  const kept = to(
    x,
    x.shape.map((d, i) => (axes.has(i) ? 1 : d)),
  );
  return keepDims
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !axes.has(i)),
      );
}

/** Position of the largest element along the last axis, the first of equals; NaN counts as largest. */
export const argmaxOp = defineOp({
  name: "argmax",
  infer: ([x]: One, _: Record<never, never>) => {
    if (x.dtype !== "f32") throw new DTypeError("argmax", [x.dtype], `computes in f32, not ${x.dtype}. Cast first.`);
    if (!x.shape.at(-1)) throw new ArgumentError("argmax", "x", x.shape, `${show(x.shape)} has no last axis with an element in it.`);
    return { shape: x.shape.slice(0, -1), dtype: "i32" };
  },
});
/**
 * Position of the largest element along the last axis, the first of equals: f32 [..., n] → i32 [...]. NaN counts as largest.
 * @throws ArgumentError if that axis is empty, DTypeError if x is not f32
 */
export const argmax = (x: Tensor): Tensor => apply(argmaxOp, [x], {});
