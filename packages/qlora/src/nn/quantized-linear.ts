import { add, type QTensor, qaddmm, qmatmul, type Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";

/** A linear layer over a frozen 4-bit weight [out, in]; the bias stays f32, as in bitsandbytes' Linear4bit. */
export class QuantizedLinear implements Linear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    readonly weight: QTensor,
    readonly bias: Tensor | null = null,
  ) {
    [this.outFeatures, this.inFeatures] = weight.shape as [number, number];
  }

  get frozenBytes(): number {
    return this.weight.byteLength + (this.bias?.storage.byteLength ?? 0);
  }

  forward(x: Tensor, _: ForwardContext, addend?: Tensor): Tensor {
    const start = this.bias && addend ? add(addend, this.bias) : (addend ?? this.bias);
    return start ? qaddmm(start, x, this.weight) : qmatmul(x, this.weight);
  }

  dispose(): void {
    this.weight.dispose();
    this.bias?.dispose();
  }
}
