// softmax and logSoftmax over the last axis, shifted by the row's maximum so that no exponential overflows.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { exp, mul, sub } from "./elementwise.ts";
import { sum } from "./reduce.ts";

const infer = (name: string) => (inputs: readonly [Tensor], _: Record<never, never>) => {
  const [{ shape, dtype }] = inputs;
  if (dtype !== "f32") throw new DTypeError(name, [dtype], `computes in f32, not ${dtype}. Cast first.`);
  if (shape.length === 0) throw new ShapeError(name, [shape], "a scalar has no last axis. Give it one with reshape.");
  return { shape, dtype };
};
const rowSum = (x: Tensor): Tensor => sum(x, { axis: -1, keepDims: true });

// y = e^(x − max) / Σ e^(x − max)     dx = y · (dy − Σ dy·y)
export const softmaxOp = defineOp({
  name: "softmax",
  infer: infer("softmax"),
  savesOutputs: [0],
  vjp: ({ output: y, grad }) => [() => mul(y, sub(grad, rowSum(mul(grad, y))))],
});
// y = x − max − ln Σ e^(x − max)     dx = dy − e^y · Σ dy
export const logSoftmaxOp = defineOp({
  name: "logSoftmax",
  infer: infer("logSoftmax"),
  savesOutputs: [0],
  vjp: ({ output: y, grad }) => [() => sub(grad, mul(exp(y), rowSum(grad)))],
});

/** Softmax over the last axis: f32 [..., n] → f32 [..., n]. @throws ShapeError of a scalar, DTypeError if x is not f32 */
export const softmax = (x: Tensor): Tensor => apply(softmaxOp, [x], {});
/**
 * The logarithm of softmax over the last axis, without the loss of digits that log(softmax(x)) has: f32 [..., n] → f32 [..., n].
 * @throws ShapeError of a scalar, DTypeError if x is not f32
 */
export const logSoftmax = (x: Tensor): Tensor => apply(logSoftmaxOp, [x], {});
