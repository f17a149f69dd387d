import type { Tensor } from "@qlora-js/core";
import { LinearSlot } from "../nn/linear-slot.ts";
import { Norm } from "../nn/norm.ts";
import type { Parts } from "./language-model.ts";

/** Finds a model's parts by name. */
export class PartTaker {
  constructor(readonly parts: Parts) {}

  /** @throws RangeError if there is none */
  tensor(name: string): Tensor {
    const part = this.parts.get(name);
    if (!part || part instanceof LinearSlot) throw new RangeError(`${name} is no tensor among the parts.`);
    return part;
  }

  /** @throws RangeError if there is none */
  linear(name: string): LinearSlot {
    const part = this.parts.get(name);
    if (!(part instanceof LinearSlot)) throw new RangeError(`${name} is no linear layer among the parts.`);
    return part;
  }

  /** Its weight, and its bias if it has one. @throws RangeError if there is none */
  norm(name: string, kind: "rms" | "layer", eps: number): Norm {
    return new Norm(this.tensor(`${name}.weight`), kind === "layer" ? this.tensor(`${name}.bias`) : null, eps);
  }
}
