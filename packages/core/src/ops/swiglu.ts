// SwiGLU (Shazeer 2020), fused. The composite silu(gate) · up is its reference in tests.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, applyAll, defineOp, together } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type None = Record<never, never>;

// y = g·σ(g)·u     all of one shape
export const swigluOp = defineOp({
  name: "swiglu",
  infer: ([gate, up]: readonly [Tensor, Tensor], _: None) => {
    if (gate.dtype !== "f32" || up.dtype !== "f32")
      throw new DTypeError("swiglu", [gate.dtype, up.dtype], `computes in f32, not ${gate.dtype} and ${up.dtype}. Cast first.`);
    if (!sameShape(gate.shape, up.shape))
      throw new ShapeError("swiglu", [gate.shape, up.shape], `gate ${show(gate.shape)} and up ${show(up.shape)} differ.`);
    return { shape: gate.shape, dtype: "f32" };
  },
  saves: [0, 1],
  vjp: ({ inputs: [gate, up], grad }) => {
    const slot = together(() => applyAll(swigluBackwardOp, [gate, up, grad], {}));
    return [slot(0), slot(1)];
  },
});
// s = σ(g)     dg = dy·u·s·(1 + g·(1 − s))     du = dy·g·s
export const swigluBackwardOp = defineOp({
  name: "swigluBackward",
  infer: ([gate]: readonly [Tensor, Tensor, Tensor], _: None) => [
    { shape: gate.shape, dtype: "f32" },
    { shape: gate.shape, dtype: "f32" },
  ],
});

/** silu(gate) · up, elementwise; both of one shape. @throws ShapeError, DTypeError */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => apply(swigluOp, [gate, up], {});
