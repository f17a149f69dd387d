import type { Tensor } from "../tensor.ts";
import { add, addScalar, div, mul, sqrt, square, sub } from "./elementwise.ts";
import { mean } from "./reduce.ts";

/** (x − mean) / √(variance + ε) · weight + bias over the last axis: x [..., n], weight and bias [n] (Ba et al. 2016). @throws ShapeError */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const centred = sub(x, mean(x, { axis: -1, keepDims: true }));
  const deviation = sqrt(addScalar(mean(square(centred), { axis: -1, keepDims: true }), epsilon));
  return add(mul(div(centred, deviation), weight), bias);
}
