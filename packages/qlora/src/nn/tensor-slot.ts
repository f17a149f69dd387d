import type { Tensor } from "@qlora-js/core";

/** A place in a model for a tensor that is frozen there, and that an adapter may put a trained one of the same shape in the place of. */
export class TensorSlot {
  #trained: Tensor | null = null;

  constructor(
    /** The checkpoint's name for it, with its ending. */
    readonly name: string,
    readonly frozen: Tensor,
  ) {}

  /** What the model computes with. */
  get tensor(): Tensor {
    return this.#trained ?? this.frozen;
  }

  /** Puts a trained tensor there, or with null the frozen one again. Returns what was there in its place, which the caller owns. */
  put(trained: Tensor | null): Tensor | null {
    const before = this.#trained;
    this.#trained = trained;
    return before;
  }
}
