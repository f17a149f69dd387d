import { layerNorm, rmsNorm, type Tensor } from "@qlora-js/core";

/** A norm over the last axis: layer norm if it has a bias, RMS norm if it has none. */
export class Norm {
  constructor(
    readonly weight: Tensor,
    readonly bias: Tensor | null,
    readonly eps: number,
  ) {}

  forward(x: Tensor): Tensor {
    return this.bias ? layerNorm(x, this.weight, this.bias, this.eps) : rmsNorm(x, this.weight, this.eps);
  }
}
