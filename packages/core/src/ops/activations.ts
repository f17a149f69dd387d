// Activations that are a few elementwise ops: composites, with no kernels and no rules of their own.
import type { Tensor } from "../tensor.ts";
import { addScalar, erf, greater, mul, scale, sigmoid, square, tanh } from "./elementwise.ts";

/** x where x > 0, else 0. */
export const relu = (x: Tensor): Tensor => mul(x, greater(x, scale(x, 0)));
/** x·σ(x). */
export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));
/** x·Φ(x), exactly. */
export const gelu = (x: Tensor): Tensor => mul(scale(x, 0.5), addScalar(erf(scale(x, Math.SQRT1_2)), 1));
/** The approximation of gelu by tanh, PyTorch's approximate="tanh". */
export const geluTanh = (x: Tensor): Tensor =>
  mul(scale(x, 0.5), addScalar(tanh(scale(mul(x, addScalar(scale(square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI))), 1));
