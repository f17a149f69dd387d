// One layer of a decoder: attention, then an MLP, each added to what came in. Where the norms stand is the family's choice.
import { add, type Tensor } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import type { Mlp } from "../nn/mlp.ts";
import type { Norm } from "../nn/norm.ts";
import type { Positions } from "../nn/positions.ts";
import type { SelfAttention } from "../nn/self-attention.ts";

export interface DecoderLayerParts {
  readonly attention: SelfAttention;
  readonly mlp: Mlp;
  readonly attentionNorm: Norm | null;
  readonly attentionOutNorm: Norm | null;
  readonly mlpNorm: Norm | null;
  readonly mlpOutNorm: Norm | null;
}

export class DecoderLayer {
  constructor(
    readonly places: DecoderConfig["normPlaces"],
    readonly parts: DecoderLayerParts,
  ) {}

  /** x [B, T, hidden] → the same shape. A residual goes through a product's addend where no norm stands between them. */
  forward(x: Tensor, at: Positions, pass: ForwardPass): Tensor {
    const { attention, mlp, attentionNorm, mlpNorm } = this.parts;
    if (this.places === "parallel")
      return mlp.forward(mlpNorm!.forward(x), pass, attention.forward(attentionNorm!.forward(x), at, pass, x));
    const attended = this.#add(x, this.parts.attentionOutNorm, (addend) =>
      attention.forward(attentionNorm?.forward(x) ?? x, at, pass, addend),
    );
    return this.#add(attended, this.parts.mlpOutNorm, (addend) => mlp.forward(mlpNorm?.forward(attended) ?? attended, pass, addend));
  }

  #add(x: Tensor, outNorm: Norm | null, run: (addend?: Tensor) => Tensor): Tensor {
    return outNorm ? add(x, outNorm.forward(run())) : run(x);
  }
}
