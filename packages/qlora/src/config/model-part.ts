// What models are made of. An architecture lists its parts (decoder-parts.ts, t5-parts.ts); whoever makes a model (the loader, the plan, full fine-tuning) goes
// through the list, and the architecture's builder puts together what they made.
import type { Shape } from "@qlora-js/core";

/** A matrix product of the model: y = x · Wᵀ (+ b), W [outFeatures, inFeatures]. Named as PEFT names it: the weight's name without `.weight`. */
export interface LinearModule {
  readonly kind: "linear";
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bias: boolean;
  /** The layer it is in; what is paged is paged by layers. */
  readonly layer: number;
  /** The file holds W as [in, out]. */
  readonly transposed: boolean;
  /** It is never quantized, and computed in f32. */
  readonly keep: boolean;
}

/** What is small and kept in f32: a norm's weight or bias. The name has its ending. */
export interface SmallPart {
  readonly kind: "small";
  readonly name: string;
  readonly shape: Shape;
  /** 1 is added to what the file holds. */
  readonly plusOne: boolean;
}

/** A table with a row a token or a position, kept in the file's type. The name has its ending. */
export interface TablePart {
  readonly kind: "embedding" | "head";
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

/** A part of a model: a linear layer, a small vector such as a norm, or a table of rows. */
export type ModelPart = LinearModule | SmallPart | TablePart;
