// LoRA (Hu et al. 2021) as composition: any linear layer, and a product of two small matrices beside it.
import { addmm, dropout, fold, matmul, scale, type Tensor } from "@qlora-js/core";
import { AdaptedLinear } from "./adapted-linear.ts";
import type { ForwardContext } from "./linear.ts";

/** base(x) + scale · B(A(dropout(x))). It does not know what its base is; A [rank, in] and B [out, rank] are f32 parameters. */
export class LoraLinear extends AdaptedLinear {
  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor {
    if (this.share === 0) return this.base.forward(x, context, addend);
    const { dropoutKey } = context;
    const seen = dropoutKey ? dropout(x, this.options.dropout, fold(dropoutKey, this.options.site)) : x;
    const low = scale(matmul(seen, this.a, { transposeB: true }), this.options.scale * this.share);
    const branch = addend ? addmm(addend, low, this.b, { transposeB: true }) : matmul(low, this.b, { transposeB: true });
    return this.base.forward(x, context, branch);
  }
}
