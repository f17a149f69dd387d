// One tensor gated by the activation of another, fused (Shazeer 2020, "GLU variants improve Transformer"). The composite f(gate) · up is its reference in tests.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, applyAll, defineOp, together } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Activation, ActivationAttrs } from "./activation.ts";

// y = f(g)·u     all of one shape
export const gatedActivationOp = defineOp({
  name: "gatedActivation",
  infer: ([gate, up]: readonly [Tensor, Tensor], _: ActivationAttrs) => {
    if (gate.dtype !== "f32" || up.dtype !== "f32")
      throw new DTypeError("gatedActivation", [gate.dtype, up.dtype], `computes in f32, not ${gate.dtype} and ${up.dtype}. Cast first.`);
    if (!sameShape(gate.shape, up.shape))
      throw new ShapeError("gatedActivation", [gate.shape, up.shape], `gate ${show(gate.shape)} and up ${show(up.shape)} differ.`);
    return { shape: gate.shape, dtype: "f32" };
  },
  saves: [0, 1],
  vjp: ({ inputs: [gate, up], attrs, grad }) => {
    const slot = together(() => applyAll(gatedActivationBackwardOp, [gate, up, grad], attrs));
    return [slot(0), slot(1)];
  },
});
// dg = dy·u·f′(g)     du = dy·f(g)
export const gatedActivationBackwardOp = defineOp({
  name: "gatedActivationBackward",
  infer: ([gate]: readonly [gate: Tensor, up: Tensor, dy: Tensor], _: ActivationAttrs) => [
    { shape: gate.shape, dtype: "f32" },
    { shape: gate.shape, dtype: "f32" },
  ],
});

/** activation(gate) · up, elementwise; both of one shape. @throws ShapeError, DTypeError */
export const gatedActivation = (gate: Tensor, up: Tensor, activation: Activation): Tensor =>
  apply(gatedActivationOp, [gate, up], { activation });
/** silu(gate) · up, as in Llama. @throws ShapeError, DTypeError */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => gatedActivation(gate, up, "silu");
/** geluTanh(gate) · up, as in Gemma and T5 v1.1. @throws ShapeError, DTypeError */
export const geglu = (gate: Tensor, up: Tensor): Tensor => gatedActivation(gate, up, "geluTanh");
