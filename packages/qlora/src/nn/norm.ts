import { layerNorm, rmsNorm, type Tensor } from "@qlora-js/core";
import type { TensorSlot } from "./tensor-slot.ts";

/** A norm over the last axis: layer norm if it has a bias, RMS norm if it has none. */
export class Norm {
  constructor(
    readonly weight: TensorSlot,
    readonly bias: TensorSlot | null,
    readonly eps: number,
  ) {}

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return bias ? layerNorm(x, weight.tensor, bias.tensor, eps) : rmsNorm(x, weight.tensor, eps);
  }
}
