// The attention half of a layer, causal, with what families differ in as options: how queries, keys and values are projected, norms on them, rotary
// positions, windows.
import { attention, reshape, rmsNorm, rope, slice, type Tensor } from "@qlora-js/core";
import type { DecoderConfig, LayerKind } from "../config/decoder-config.ts";
import type { ForwardPass } from "./forward-pass.ts";
import type { LinearSlot } from "./linear-slot.ts";
import type { Positions } from "./positions.ts";
import type { TensorSlot } from "./tensor-slot.ts";

/** Where queries, keys and values come from: three products; or one, its outputs in that order, or in that order for each head. */
export type Projections =
  | { readonly kind: "separate"; readonly query: LinearSlot; readonly key: LinearSlot; readonly value: LinearSlot }
  | { readonly kind: "joined" | "joined by head"; readonly joined: LinearSlot };

export interface SelfAttentionParts {
  readonly projections: Projections;
  readonly output: LinearSlot;
  readonly queryNorm: TensorSlot | null;
  readonly keyNorm: TensorSlot | null;
}

type Three = readonly [query: Tensor, key: Tensor, value: Tensor];

export class SelfAttention {
  constructor(
    readonly config: DecoderConfig,
    /** Which layer it is of, for the cache. */
    readonly layer: number,
    readonly kind: LayerKind,
    readonly parts: SelfAttentionParts,
  ) {}

  /** x [B, T, hidden] → addend + output(attention), of the same shape. */
  forward(x: Tensor, at: Positions, pass: ForwardPass, addend?: Tensor): Tensor {
    const { heads, headDim, attention: options } = this.config;
    const [batch, time] = x.shape as [number, number];
    const [q, ...own] = this.#project(x, pass);
    let [k, v] = [this.#place(own[0], this.parts.keyNorm, at), own[1]];
    if (pass.cache) {
      pass.cache.append(this.layer, k, v);
      [k, v] = [pass.cache.keys[this.layer]!, pass.cache.values[this.layer]!];
    }
    const { scale, softcap } = options;
    const attrs = { scale, softcap, offset: at.offset, window: this.kind.window };
    const seen = attention(this.#place(q, this.parts.queryNorm, at), k, v, at.starts, attrs);
    return this.parts.output.forward(reshape(seen, [batch, time, heads * headDim]), pass, addend);
  }

  /** Queries [B, T, heads, headDim], keys and values [B, T, kvHeads, headDim]. */
  #project(x: Tensor, pass: ForwardPass): Three {
    const { heads, kvHeads, headDim } = this.config;
    const { projections } = this.parts;
    const [batch, time] = x.shape as [number, number];
    const split = (y: Tensor, count: number): Tensor => reshape(y, [batch, time, count, headDim]);
    if (projections.kind === "separate") {
      const { query, key, value } = projections;
      return [split(query.forward(x, pass), heads), split(key.forward(x, pass), kvHeads), split(value.forward(x, pass), kvHeads)];
    }
    const all = projections.joined.forward(x, pass);
    if (projections.kind === "joined") {
      const [q, kv] = [heads * headDim, kvHeads * headDim];
      return [
        split(slice(all, 2, 0, q), heads),
        split(slice(all, 2, q, q + kv), kvHeads),
        split(slice(all, 2, q + kv, q + 2 * kv), kvHeads),
      ];
    }
    const byHead = reshape(all, [batch, time, heads, 3 * headDim]);
    const part = (i: number): Tensor => slice(byHead, 3, i * headDim, (i + 1) * headDim);
    return [part(0), part(1), part(2)];
  }

  /** Norm, then rotary positions, as far as the model has them: y [B, T, n, headDim]. */
  #place(y: Tensor, norm: TensorSlot | null, at: Positions): Tensor {
    const table = this.kind.rope === null ? undefined : at.tables[this.kind.rope]!;
    const normed = norm ? this.#norm(y, norm.tensor) : y;
    return table ? rope(normed, table.cos, table.sin, at.rows) : normed;
  }

  #norm(y: Tensor, weight: Tensor): Tensor {
    const { norm, attention: options } = this.config;
    if (options.queryKeyNorm === "head") return rmsNorm(y, weight, norm.eps);
    return reshape(rmsNorm(reshape(y, [y.shape[0]!, y.shape[1]!, -1]), weight, norm.eps), y.shape);
  }
}
