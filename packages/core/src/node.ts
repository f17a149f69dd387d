// What the tape is made of. A node stands for one run of an op on tracked inputs; it holds what its rule will read and lets go of it once that has run.

import type { QTensor } from "./qtensor.ts";
import type { Disposable } from "./session.ts";
import type { Tensor } from "./tensor.ts";

export type Input = Tensor | QTensor;

/** Identity of a value that gradients flow to: an output of a node, or a parameter (node null). Compared by reference. */
export interface Origin {
  readonly node: Node | null;
  readonly index: number;
}

/** A gradient is a function, called only if somebody needs it. */
export type GradientSlot = Gradient | null;

export interface Gradient {
  (): Tensor;
  /** before + the gradient in one pass, where the rule can: `before`, of the input's shape, is what has arrived there. */
  readonly onto?: (before: Tensor) => Tensor;
}

export interface Node extends Disposable {
  /** Grows with time, so creation order is a topological order. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Input[];
  /** The inputs' gradients from those of the outputs, null where none arrived. Checkpoints, which run their part of the tape anew, have `replay` instead. */
  gradients?(grads: readonly (Tensor | null)[]): readonly GradientSlot[];
  replay?(walk: ReplayWalk, grads: readonly (Tensor | null)[]): void;
}

/** What a checkpoint needs of the walk that reached it: go back through these outputs with these gradients; and add this to what has arrived at an input. */
export interface ReplayWalk {
  back(outputs: readonly Tensor[], grads: readonly (Tensor | null)[], boundary: readonly (Tensor | null)[]): readonly (Tensor | null)[];
  arrive(at: Origin, grad: Tensor): void;
}
