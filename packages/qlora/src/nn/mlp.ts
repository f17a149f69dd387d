// The feed-forward half of a layer: down(act(gate(x)) · up(x)) (Shazeer 2020), or down(act(up(x))).
import { type Activation, gatedActivation, slice, type Tensor } from "@qlora-js/core";
import { activate } from "./activation.ts";
import type { ForwardContext } from "./linear.ts";
import type { LinearSlot } from "./linear-slot.ts";

/** What x goes into: gate and up, both in one (gate first), or up alone. */
export type MlpInputs =
  | { readonly kind: "separate"; readonly gate: LinearSlot; readonly up: LinearSlot }
  | { readonly kind: "joined"; readonly gateUp: LinearSlot; readonly size: number }
  | { readonly kind: "none"; readonly up: LinearSlot };

export class Mlp {
  constructor(
    readonly inputs: MlpInputs,
    readonly down: LinearSlot,
    readonly activation: Activation,
  ) {}

  /** x [B, T, hidden] → addend + the MLP's output, of the same shape. */
  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor {
    return this.down.forward(this.#inner(x, context), context, addend);
  }

  #inner(x: Tensor, context: ForwardContext): Tensor {
    const { inputs, activation } = this;
    switch (inputs.kind) {
      case "separate":
        return gatedActivation(inputs.gate.forward(x, context), inputs.up.forward(x, context), activation);
      case "joined": {
        const both = inputs.gateUp.forward(x, context);
        return gatedActivation(slice(both, 2, 0, inputs.size), slice(both, 2, inputs.size, 2 * inputs.size), activation);
      }
      case "none":
        return activate(activation, inputs.up.forward(x, context));
    }
  }
}
