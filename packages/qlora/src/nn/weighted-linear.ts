// A linear layer over a frozen weight, whatever it is stored in: what an adapter may be put around. The bias has a place of its own, because it may be trained.
import { add, type Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";
import { TensorSlot } from "./tensor-slot.ts";

export abstract class WeightedLinear implements Linear {
  abstract readonly outFeatures: number;
  abstract readonly inFeatures: number;
  abstract readonly frozenBytes: number;
  readonly biasSlot: TensorSlot | null;

  constructor(bias: Tensor | null) {
    this.biasSlot = bias && new TensorSlot("bias", bias);
  }

  /** [out], or null where there is none. */
  get bias(): Tensor | null {
    return this.biasSlot?.tensor ?? null;
  }

  /** addend + x·Wᵀ, without the bias. The addend is of the result's shape, or a row [out]. */
  abstract product(x: Tensor, addend?: Tensor): Tensor;

  /** The weight as f32 [out, in], a tensor of its own. */
  abstract wide(): Tensor;

  forward(x: Tensor, _: ForwardContext, addend?: Tensor): Tensor {
    const { bias } = this;
    return this.product(x, bias && addend ? add(addend, bias) : (addend ?? bias ?? undefined));
  }

  /** Frees the weight and the bias. */
  dispose(): void {
    this.biasSlot?.frozen.dispose();
  }
}
