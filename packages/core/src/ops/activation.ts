// The functions between a network's products, each in one pass forward and one back. The composites of elementwise ops are its references in tests.
import { DTypeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** relu: max(x, 0). silu: x·σ(x). gelu: x·Φ(x). geluTanh: its approximation by tanh (Hendrycks and Gimpel 2016), PyTorch's approximate="tanh". */
export type Activation = "relu" | "silu" | "gelu" | "geluTanh";
/** Which function. */
export interface ActivationAttrs {
  readonly activation: Activation;
}

// y = f(x)
export const activationOp = defineOp({
  name: "activation",
  infer: ([x]: readonly [Tensor], _: ActivationAttrs) => {
    if (x.dtype !== "f32") throw new DTypeError("activation", [x.dtype], `computes in f32, not ${x.dtype}. Cast first.`);
    return { shape: x.shape, dtype: "f32" };
  },
  saves: [0],
  vjp: ({ inputs: [x], attrs, grad }) => [() => apply(activationBackwardOp, [x, grad], attrs)],
});
// dx = dy·f′(x)
export const activationBackwardOp = defineOp({
  name: "activationBackward",
  infer: ([x]: readonly [x: Tensor, dy: Tensor], _: ActivationAttrs) => ({ shape: x.shape, dtype: "f32" }),
});

/** x where x > 0, else 0: f32 of any shape → the same shape. @throws DTypeError if x is not f32 */
export const relu = (x: Tensor): Tensor => apply(activationOp, [x], { activation: "relu" });
/** x·σ(x): f32 of any shape → the same shape. @throws DTypeError if x is not f32 */
export const silu = (x: Tensor): Tensor => apply(activationOp, [x], { activation: "silu" });
/** x·Φ(x), exactly: f32 of any shape → the same shape. @throws DTypeError if x is not f32 */
export const gelu = (x: Tensor): Tensor => apply(activationOp, [x], { activation: "gelu" });
/** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))): f32 of any shape → the same shape. @throws DTypeError if x is not f32 */
export const geluTanh = (x: Tensor): Tensor => apply(activationOp, [x], { activation: "geluTanh" });
