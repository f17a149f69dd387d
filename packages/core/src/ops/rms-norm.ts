// RMSNorm (Zhang & Sennrich 2019) over the last axis, fused; its two gradients are ops of their own, so that a frozen weight costs nothing.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** What is added to the mean of squares before its root. */
export interface RmsNormAttrs {
  readonly epsilon: number;
}
const check = (op: string, x: Tensor, weight: Tensor): void => {
  if (x.dtype !== "f32" || weight.dtype !== "f32")
    throw new DTypeError(op, [x.dtype, weight.dtype], `computes in f32, not ${x.dtype} and ${weight.dtype}. Cast first.`);
  if (x.shape.length === 0 || !sameShape(weight.shape, x.shape.slice(-1)))
    throw new ShapeError(op, [x.shape, weight.shape], `the weight ${show(weight.shape)} is not the last axis of ${show(x.shape)}.`);
};

// r = 1/√(mean(x²) + ε)     y = x·r·w     x [..., n], w [n]
export const rmsNormOp = defineOp({
  name: "rmsNorm",
  infer: ([x, weight]: readonly [Tensor, Tensor], _: RmsNormAttrs) => {
    check("rmsNorm", x, weight);
    return { shape: x.shape, dtype: "f32" };
  },
  saves: [0, 1],
  vjp: ({ inputs: [x, weight], attrs, grad }) => [
    () => apply(rmsNormGradInputOp, [x, weight, grad], attrs),
    () => apply(rmsNormGradWeightOp, [x, weight, grad], attrs),
  ],
});
// g = dy·w     dx = r·(g − x·r²·mean(g·x))
export const rmsNormGradInputOp = defineOp({
  name: "rmsNormGradInput",
  infer: ([x]: readonly [Tensor, Tensor, Tensor], _: RmsNormAttrs) => ({ shape: x.shape, dtype: "f32" }),
});
// dw = Σ over rows of dy·x·r
export const rmsNormGradWeightOp = defineOp({
  name: "rmsNormGradWeight",
  infer: ([, weight]: readonly [Tensor, Tensor, Tensor], _: RmsNormAttrs) => ({ shape: weight.shape, dtype: "f32" }),
});

/** x / √(mean(x²) + ε) · weight over the last axis: x [..., n], weight [n]. @throws ShapeError, DTypeError */
export const rmsNorm = (x: Tensor, weight: Tensor, epsilon: number): Tensor => apply(rmsNormOp, [x, weight], { epsilon });
