// An answer of T5 in the making: the source is encoded once and its keys and values kept; the decoder's own keys and values grow with each token.
import { embedding, noGrad, reshape, scope, slice, type Tensor, tensor } from "@qlora-js/core";
import { KeyValueCache } from "../nn/key-value-cache.ts";
import type { KeysValues } from "../nn/t5-attention.ts";
import type { Generation } from "./language-model.ts";
import type { T5 } from "./t5.ts";

export class T5Generation implements Generation {
  readonly first: readonly number[];
  readonly #own: KeyValueCache;
  readonly #cross: readonly KeysValues[];
  readonly #mask: Tensor;

  constructor(
    readonly model: T5,
    prompt: readonly number[],
    newTokens: number,
  ) {
    const { backend, config } = model;
    this.first = [config.decoderStartTokenId];
    const pass = { dropoutKey: null };
    const source = { inputIds: Int32Array.from(prompt), length: prompt.length, lengths: [prompt.length] };
    const [mask, ...cross] = noGrad(backend, () =>
      scope(backend, () => {
        const { hidden, mask } = model.encode(source, 1, pass);
        return [mask, ...model.inside.decoder.flatMap(({ cross }) => Object.values(cross.part.project(hidden, pass)))];
      }),
    ) as [Tensor, ...Tensor[]];
    this.#mask = mask;
    this.#cross = model.inside.decoder.map((_, i) => ({ keys: cross[2 * i]!, values: cross[2 * i + 1]! }));
    const { decoderLayers: layers, heads: kvHeads, headDim } = config;
    this.#own = new KeyValueCache(backend, { layers, kvHeads, headDim }, 1 + newTokens);
  }

  get length(): number {
    return this.#own.length;
  }

  get capacity(): number {
    return this.#own.capacity;
  }

  next(ids: readonly number[]): Tensor {
    const { backend, config, inside } = this.model;
    const own = this.#own;
    return scope(backend, () => {
      const until = own.length + ids.length;
      const selfBias = this.model.distanceBias("decoder", own.length, ids.length, until);
      let x = embedding(tensor(backend, ids, [1, ids.length], "i32"), inside.embedding);
      inside.decoder.forEach((block, i) => {
        const seen = ({ keys, values }: KeysValues): KeysValues => {
          own.append(i, keys, values);
          return { keys: slice(own.keys[i]!, 1, 0, until), values: slice(own.values[i]!, 1, 0, until) };
        };
        const sight = { selfBias, crossBias: this.#mask, own: seen, cross: () => this.#cross[i]! };
        x = scope(backend, () => block.forward(x, sight, { dropoutKey: null, cache: own }));
      });
      own.length = until;
      return reshape(slice(this.model.finish(x), 1, ids.length - 1, ids.length), [1, config.hiddenSize]);
    });
  }

  dispose(): void {
    this.#own.dispose();
    this.#mask.dispose();
    for (const { keys, values } of this.#cross) {
      keys.dispose();
      values.dispose();
    }
  }
}
