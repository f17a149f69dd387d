import { addmm, cast, matmul, type Tensor } from "@qlora-js/core";
import { WeightedLinear } from "./weighted-linear.ts";

/** A linear layer over a plain weight [out, in]: f32, or the bf16 or f16 of the file, computed in f32. */
export class DenseLinear extends WeightedLinear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    readonly weight: Tensor,
    bias: Tensor | null = null,
  ) {
    super(bias);
    [this.outFeatures, this.inFeatures] = weight.shape as [number, number];
  }

  /** Bytes of the weight and bias on the device. */
  get frozenBytes(): number {
    return this.weight.storage.byteLength + (this.biasSlot?.frozen.storage.byteLength ?? 0);
  }

  product(x: Tensor, addend?: Tensor): Tensor {
    return addend ? addmm(addend, x, this.weight, { transposeB: true }) : matmul(x, this.weight, { transposeB: true });
  }

  wide(): Tensor {
    return cast(this.weight, "f32");
  }

  /** Frees the weight. */
  override dispose(): void {
    super.dispose();
    this.weight.dispose();
  }
}
