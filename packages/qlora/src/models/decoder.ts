// A decoder-only language model (Llama and its kin), decided by its config alone. A plain object of tensors and linear layers with a forward; it does not
// know whether its weights are 4-bit, adapted, both or neither.
import { add, type Backend, checkpoint, embedding, scale, scope, type Tensor, tensor } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import type { Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import type { Norm } from "../nn/norm.ts";
import { makePositions, positionsOf, positionTensors } from "../nn/positions.ts";
import type { DecoderLayer } from "./decoder-layer.ts";

export interface DecoderParts {
  /** [vocabulary, hidden], f32 or 16-bit. */
  readonly embedding: Tensor;
  /** [positions, hidden], where positions are learned. */
  readonly positions: Tensor | null;
  readonly layers: readonly DecoderLayer[];
  readonly norm: Norm;
  /** [vocabulary, hidden]: the embeddings again where they are tied. */
  readonly head: Tensor;
  /** All of these by the names of the checkpoint, tensors with their endings. */
  readonly byName: ReadonlyMap<string, Tensor | LinearSlot>;
}

export class Decoder {
  readonly head: Tensor;

  constructor(
    readonly backend: Backend,
    readonly config: DecoderConfig,
    readonly parts: DecoderParts,
  ) {
    this.head = parts.head;
  }

  /** Hidden states after the last norm: ids i32 [B, T] → f32 [B, T, hidden]. The head is applied by whoever knows which rows are needed. */
  forward(ids: Tensor, pass: ForwardPass): Tensor {
    const [batch, time] = ids.shape as [number, number];
    return scope(this.backend, () => {
      const offset = pass.cache?.length ?? 0;
      const at = makePositions(this.backend, this.config, [batch, time], offset, pass.starts ?? []);
      let x = this.#embed(ids, offset, pass.starts ?? []);
      this.parts.layers.forEach((layer, i) => {
        // what a layer reads besides its parameters goes through the inputs, so that a checkpoint holds it
        const run = (input: Tensor, ...places: Tensor[]): Tensor => layer.forward(input, positionsOf(places, offset), pass);
        const inputs: [Tensor, ...Tensor[]] = [x, ...positionTensors(at)];
        const recompute = pass.recompute?.[i] ?? "nothing";
        x =
          recompute === "nothing"
            ? scope(this.backend, () => run(...inputs))
            : checkpoint(run, inputs, { keepProducts: recompute === "cheap" });
      });
      if (pass.cache) pass.cache.length += time;
      return this.parts.norm.forward(x);
    });
  }

  #embed(ids: Tensor, offset: number, starts: readonly number[]): Tensor {
    const { embeddingScale } = this.config;
    const { embedding: table, positions } = this.parts;
    const [batch, time] = ids.shape as [number, number];
    const plain = embedding(ids, table);
    const x = embeddingScale === 1 ? plain : scale(plain, embeddingScale);
    if (!positions) return x;
    const places = Array.from({ length: batch * time }, (_, i) => offset + Math.max(0, (i % time) - (starts[Math.floor(i / time)] ?? 0)));
    return add(x, embedding(tensor(this.backend, places, [batch, time], "i32"), positions));
  }

  /** All linear layers by the names PEFT and the checkpoint use, without the head. */
  linears(): Map<string, Linear> {
    return new Map([...this.parts.byName].flatMap(([name, part]) => (part instanceof LinearSlot ? [[name, part.linear] as const] : [])));
  }

  /** Puts another layer in the place of one, the base with an adapter around it or without. */
  replaceLinear(name: string, linear: Linear): void {
    const slot = this.parts.byName.get(name);
    if (!(slot instanceof LinearSlot)) throw new RangeError(`${name} is no linear layer of this model.`);
    slot.linear = linear;
  }

  dispose(): void {
    for (const part of this.parts.byName.values()) (part instanceof LinearSlot ? part.linear : part).dispose();
  }
}
