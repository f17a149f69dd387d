// What a linear layer is to the rest of a model, whatever its weight is stored in.
import type { RandomKey, Tensor } from "@qlora-js/core";

/** What one forward pass is done for. */
export interface ForwardContext {
  /** Where dropout takes its masks from; null where nothing is dropped (evaluation, generation). */
  readonly dropoutKey: RandomKey | null;
  /** Where a text is continued token by token: computes once what depends on weights alone, and keeps it as long as the text. */
  readonly cache?: {
    /** What `make` made for this owner the first time. */
    once(owner: object, make: () => Tensor): Tensor;
  };
}

/** A linear layer, x · Wᵀ + b, whatever its weight is stored in. */
export interface Linear {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Bytes that its frozen weights take on the device. */
  readonly frozenBytes: number;
  /**
   * addend + x·Wᵀ (+ bias): x [..., in] → [..., out]. The addend has the result's shape; a residual or a low-rank branch is added this way without a
   * pass of its own.
   */
  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor;
  /** Frees what it holds. */
  dispose(): void;
}
