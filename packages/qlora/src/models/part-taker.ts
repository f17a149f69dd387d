import type { Tensor } from "@qlora-js/core";
import { LinearSlot } from "../nn/linear-slot.ts";
import { Norm } from "../nn/norm.ts";
import { TensorSlot } from "../nn/tensor-slot.ts";
import { WeightedLinear } from "../nn/weighted-linear.ts";
import type { Parts } from "./language-model.ts";

/** Finds a model's parts by name, and makes places for those that may be replaced by trained ones. */
export class PartTaker {
  readonly #slots = new Map<string, TensorSlot>();

  constructor(readonly parts: Parts) {}

  /** @throws RangeError if there is none */
  tensor(name: string): Tensor {
    const part = this.parts.get(name);
    if (!part || part instanceof LinearSlot) throw new RangeError(`${name} is no tensor among the parts.`);
    return part;
  }

  /** A place for a tensor; a tied one is another's in a place of its own. @throws RangeError if there is none */
  slot(name: string, tensor = this.tensor(name)): TensorSlot {
    const slot = new TensorSlot(name, tensor);
    this.#slots.set(name, slot);
    return slot;
  }

  /** @throws RangeError if there is none */
  linear(name: string): LinearSlot {
    const part = this.parts.get(name);
    if (!(part instanceof LinearSlot)) throw new RangeError(`${name} is no linear layer among the parts.`);
    return part;
  }

  /** Its weight, and its bias if it has one. @throws RangeError if there is none */
  norm(name: string, kind: "rms" | "layer", eps: number): Norm {
    return new Norm(this.slot(`${name}.weight`), kind === "layer" ? this.slot(`${name}.bias`) : null, eps);
  }

  /** Every place that was made, and those of the biases of linear layers. */
  slots(): ReadonlyMap<string, TensorSlot> {
    for (const [name, part] of this.parts) {
      const bias = part instanceof LinearSlot && part.linear instanceof WeightedLinear && part.linear.biasSlot;
      if (bias) this.#slots.set(`${name}.bias`, bias);
    }
    return this.#slots;
  }
}
