// LoRA (Hu et al. 2021) as composition: any linear layer, and a product of two small matrices beside it.
import { addmm, dropout, fold, matmul, scale, type Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";

export interface LoraOptions {
  /** What the low-rank branch is multiplied by: alpha / rank, or alpha / √rank. */
  readonly scale: number;
  /** The share of the branch's inputs that is dropped in training. */
  readonly dropout: number;
  /** Tells this layer's dropout masks from those of others. */
  readonly site: number;
}

/** base(x) + scale · B(A(dropout(x))). It does not know what its base is; A [rank, in] and B [out, rank] are f32 parameters. */
export class LoraLinear implements Linear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    readonly base: Linear,
    readonly a: Tensor,
    readonly b: Tensor,
    readonly options: LoraOptions,
  ) {
    this.outFeatures = base.outFeatures;
    this.inFeatures = base.inFeatures;
  }

  get frozenBytes(): number {
    return this.base.frozenBytes;
  }

  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor {
    const { dropoutKey } = context;
    const seen = dropoutKey ? dropout(x, this.options.dropout, fold(dropoutKey, this.options.site)) : x;
    const low = scale(matmul(seen, this.a, { transposeB: true }), this.options.scale);
    const branch = addend ? addmm(addend, low, this.b, { transposeB: true }) : matmul(low, this.b, { transposeB: true });
    return this.base.forward(x, context, branch);
  }

  /** Frees the two small matrices; the base lives on. */
  detach(): Linear {
    this.a.dispose();
    this.b.dispose();
    return this.base;
  }

  dispose(): void {
    this.detach();
    this.base.dispose();
  }
}
