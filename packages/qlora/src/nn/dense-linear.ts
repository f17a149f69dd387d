import { add, addmm, matmul, type Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";

/** A linear layer over a plain weight [out, in]: f32, or the bf16 or f16 of the file, computed in f32. */
export class DenseLinear implements Linear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    readonly weight: Tensor,
    readonly bias: Tensor | null = null,
  ) {
    [this.outFeatures, this.inFeatures] = weight.shape as [number, number];
  }

  get frozenBytes(): number {
    return this.weight.storage.byteLength + (this.bias?.storage.byteLength ?? 0);
  }

  forward(x: Tensor, _: ForwardContext, addend?: Tensor): Tensor {
    const start = this.bias && addend ? add(addend, this.bias) : (addend ?? this.bias);
    return start ? addmm(start, x, this.weight, { transposeB: true }) : matmul(x, this.weight, { transposeB: true });
  }

  dispose(): void {
    this.weight.dispose();
    this.bias?.dispose();
  }
}
