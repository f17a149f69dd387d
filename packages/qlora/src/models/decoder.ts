// A decoder-only language model (Llama and its kin), decided by its config alone. A plain object of tensors and linear layers with a forward; it does not
// know whether its weights are 4-bit, adapted, both or neither.
import { add, type Backend, checkpoint, embedding, reshape, scale, scope, slice, type Tensor, tensor } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";
import type { Batch } from "../data/batch.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import { KeyValueCache } from "../nn/key-value-cache.ts";
import type { Norm } from "../nn/norm.ts";
import { makePositions, positionsOf, positionTensors } from "../nn/positions.ts";
import type { TensorSlot } from "../nn/tensor-slot.ts";
import type { DecoderLayer } from "./decoder-layer.ts";
import { type Generation, LanguageModel, type Parts } from "./language-model.ts";

export interface DecoderInside {
  /** [vocabulary, hidden], f32 or 16-bit. */
  readonly embedding: TensorSlot;
  /** [positions, hidden], where positions are learned. */
  readonly positions: TensorSlot | null;
  readonly layers: readonly DecoderLayer[];
  readonly norm: Norm;
  /** [vocabulary, hidden]: the embeddings again where they are tied. */
  readonly head: TensorSlot;
}

/** A decoder-only language model, Llama and its kin, decided by its config alone. */
export class Decoder extends LanguageModel {
  constructor(
    backend: Backend,
    readonly config: DecoderConfig,
    parts: Parts,
    slots: ReadonlyMap<string, TensorSlot>,
    readonly inside: DecoderInside,
  ) {
    super(backend, parts, slots);
  }

  get head(): Tensor {
    return this.inside.head.tensor;
  }

  hidden({ inputIds, batch, length }: Pick<Batch, "inputIds" | "batch" | "length">, pass: ForwardPass): Tensor {
    return scope(this.backend, () => this.forward(tensor(this.backend, inputIds, [batch, length], "i32"), pass));
  }

  generation(prompt: readonly number[], newTokens: number): Generation {
    const { backend, config } = this;
    const cache = new KeyValueCache(backend, config, Math.min(config.maxPositions, prompt.length + newTokens));
    return {
      first: prompt,
      capacity: cache.capacity,
      get length() {
        return cache.length;
      },
      next: (ids) =>
        scope(backend, () => {
          const hidden = this.forward(tensor(backend, ids, [1, ids.length], "i32"), { dropoutKey: null, cache });
          return reshape(slice(hidden, 1, ids.length - 1, ids.length), [1, config.hiddenSize]);
        }),
      dispose: () => cache.dispose(),
    };
  }

  /** Hidden states after the last norm: ids i32 [B, T] → f32 [B, T, hidden]. The head is applied by whoever knows which rows are needed. */
  forward(ids: Tensor, pass: ForwardPass): Tensor {
    const [batch, time] = ids.shape as [number, number];
    return scope(this.backend, () => {
      const offset = pass.cache?.length ?? 0;
      const at = makePositions(this.backend, this.config, [batch, time], offset, pass.starts ?? []);
      let x = this.#embed(ids, offset, pass.starts ?? []);
      this.inside.layers.forEach((layer, i) => {
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
      return this.inside.norm.forward(x);
    });
  }

  #embed(ids: Tensor, offset: number, starts: readonly number[]): Tensor {
    const { embeddingScale } = this.config;
    const { embedding: table, positions } = this.inside;
    const [batch, time] = ids.shape as [number, number];
    const plain = embedding(ids, table.tensor);
    const x = embeddingScale === 1 ? plain : scale(plain, embeddingScale);
    if (!positions) return x;
    const places = Array.from({ length: batch * time }, (_, i) => offset + Math.max(0, (i % time) - (starts[Math.floor(i / time)] ?? 0)));
    return add(x, embedding(tensor(this.backend, places, [batch, time], "i32"), positions.tensor));
  }
}
