// Keys and values of positions already seen, so that generation computes one position a token.
import { type Backend, type Tensor, writeRows, zeros } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";

export class KeyValueCache {
  /** Positions filled. */
  length = 0;
  /** f32 [1, capacity, kvHeads, headDim], one a layer. */
  readonly keys: readonly Tensor[];
  readonly values: readonly Tensor[];

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

  dispose(): void {
    for (const t of [...this.keys, ...this.values]) t.dispose();
  }
}
