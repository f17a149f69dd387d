// Keys and values of positions already seen, so that generation computes one position a token.
import { type Backend, Tensor, writeRows, zeros } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";

/** Keys and values of positions already seen, so that generation computes one position a token. */
export class KeyValueCache {
  /** Positions filled. */
  length = 0;
  /** f32 [1, capacity, kvHeads, headDim], one a layer. */
  readonly keys: readonly Tensor[];
  readonly values: readonly Tensor[];
  readonly #once = new Map<object, Tensor>();
  readonly #holds = new Set<Tensor["storage"]>();

  constructor(
    backend: Backend,
    { layers, kvHeads, headDim }: Pick<DecoderConfig, "layers" | "kvHeads" | "headDim">,
    readonly capacity: number,
  ) {
    const rows = () => Array.from({ length: layers }, () => zeros(backend, [1, capacity, kvHeads, headDim]));
    this.keys = rows();
    this.values = rows();
  }

  /** Puts the keys and values of new positions, [1, T, kvHeads, headDim], behind those of this layer. */
  append(layer: number, k: Tensor, v: Tensor): void {
    writeRows(this.keys[layer]!, k, this.length);
    writeRows(this.values[layer]!, v, this.length);
  }

  /** What `make` gave the first time an owner asked. The weights must not change while a text is continued. */
  once(owner: object, make: () => Tensor): Tensor {
    const kept = this.#once.get(owner) ?? make();
    this.#once.set(owner, kept);
    // the scope that is open disposes its handle; the values stay by the owner's own hold on their storage
    if (this.#holds.has(kept.storage)) return new Tensor(kept.storage.retain(), kept.shape, kept.dtype);
    this.#holds.add(kept.storage.retain());
    return kept;
  }

  /** Frees the keys and values. */
  dispose(): void {
    for (const storage of this.#holds) storage.release();
    for (const t of [...this.keys, ...this.values]) t.dispose();
  }
}
