import { dequantize, type QTensor, qaddmm, qmatmul, type Tensor } from "@qlora-js/core";
import { WeightedLinear } from "./weighted-linear.ts";

/** A linear layer over a frozen 4-bit weight [out, in]; the bias stays f32, as in bitsandbytes' Linear4bit. */
export class QuantizedLinear extends WeightedLinear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    readonly weight: QTensor,
    bias: Tensor | null = null,
  ) {
    super(bias);
    [this.outFeatures, this.inFeatures] = weight.shape as [number, number];
  }

  /** Bytes of the weight and bias on the device. */
  get frozenBytes(): number {
    return this.weight.byteLength + (this.biasSlot?.frozen.storage.byteLength ?? 0);
  }

  product(x: Tensor, addend?: Tensor): Tensor {
    return addend ? qaddmm(addend, x, this.weight) : qmatmul(x, this.weight);
  }

  wide(): Tensor {
    return dequantize(this.weight);
  }

  /** Frees the weight. */
  override dispose(): void {
    super.dispose();
    this.weight.dispose();
  }
}
