import type { Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";

/** A place in a model for a linear layer, by name: the base is put there when the model is made, an adapter around it later, and the base again. */
export class LinearSlot {
  constructor(
    readonly name: string,
    public linear: Linear,
  ) {}

  /** As the layer's own. */
  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor {
    return this.linear.forward(x, context, addend);
  }
}
