// What trainer, adapters and generation need of a model, whatever its architecture.
import type { Backend, Tensor } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { Batch } from "../data/batch.ts";
import type { Attachment } from "../nn/attachment.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import type { Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import type { TensorSlot } from "../nn/tensor-slot.ts";

/** Linear layers under their names; tensors under theirs, with the ending. */
export type Parts = ReadonlyMap<string, LinearSlot | Tensor>;

/** A text in the making: what has been seen is remembered, so that each new token costs one position. */
export interface Generation {
  /** Ids to begin with: the prompt, or what a decoder starts from. */
  readonly first: readonly number[];
  /** Ids seen so far. */
  readonly length: number;
  /** Ids there is room for. */
  readonly capacity: number;
  /** Sees these too: the hidden state of the last, f32 [1, hidden]. */
  next(ids: readonly number[]): Tensor;
  /** Frees what it holds. */
  dispose(): void;
}

/** What trainer, adapters and generation need of a model, whatever its architecture. */
export abstract class LanguageModel {
  /** Adapters that are on the model, in the order they were put there. */
  readonly attached = new Set<Attachment>();
  abstract readonly config: ModelConfig;
  /** [vocabulary, hidden], f32 or 16-bit: the embeddings again where they are tied. */
  abstract readonly head: Tensor;

  constructor(
    readonly backend: Backend,
    /** All it is made of. */
    readonly parts: Parts,
    /** Places of tensors that may be trained whole, by their names with the ending: tables, norms, biases, the head also where it is tied. */
    readonly slots: ReadonlyMap<string, TensorSlot>,
  ) {}

  /** What the head is applied to: f32 [B, T, hidden] for a batch [B, T]. Whoever knows which rows are needed applies it. */
  abstract hidden(batch: Pick<Batch, "inputIds" | "batch" | "length" | "source">, pass: ForwardPass): Tensor;

  /** Begins to continue (or to answer) a prompt, with room for `newTokens` more. */
  abstract generation(prompt: readonly number[], newTokens: number): Generation;

  /** All linear layers by the names PEFT and the checkpoint use, without the head. */
  linears(): Map<string, Linear> {
    return new Map([...this.parts].flatMap(([name, part]) => (part instanceof LinearSlot ? [[name, part.linear] as const] : [])));
  }

  /** Puts another layer in the place of one, the base with an adapter around it or without. */
  replaceLinear(name: string, linear: Linear): void {
    const slot = this.parts.get(name);
    if (!(slot instanceof LinearSlot)) throw new RangeError(`${name} is no linear layer of this model.`);
    slot.linear = linear;
  }

  /** Frees what it holds. */
  dispose(): void {
    for (const adapter of this.attached) adapter.disposeWhole();
    for (const part of this.parts.values()) (part instanceof LinearSlot ? part.linear : part).dispose();
  }
}
