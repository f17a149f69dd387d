// The Llama family (Touvron et al. 2023), decided by its config: grouped queries, rotary positions, RMSNorm, SwiGLU. A model is a plain object of tensors
// and linear layers with a forward; it does not know whether its weights are 4-bit, adapted, both or neither.
import { attention, type Backend, checkpoint, embedding, reshape, rmsNorm, rope, scope, swiglu, type Tensor, tensor } from "@qlora-js/core";
import type { LlamaConfig } from "../config/llama-config.ts";
import type { ForwardContext, Linear } from "../nn/linear.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import { ropeTables } from "./rope-tables.ts";

/** One layer's parts; the names of its linear layers are the checkpoint's. */
export interface LlamaLayer {
  readonly inputNorm: Tensor;
  readonly postAttentionNorm: Tensor;
  readonly linears: Record<LlamaLinearName, Linear>;
}
export type LlamaLinearName =
  | "self_attn.q_proj"
  | "self_attn.k_proj"
  | "self_attn.v_proj"
  | "self_attn.o_proj"
  | "mlp.gate_proj"
  | "mlp.up_proj"
  | "mlp.down_proj";

/** How much of a layer is kept for the backward pass: everything; only its input and large products; only its input. */
export type Recomputation = "nothing" | "cheap" | "all";

export interface LlamaPass extends ForwardContext {
  /** One a layer; "nothing" where left out. */
  readonly recompute?: readonly Recomputation[];
  /** Keys and values of earlier positions; the new ones are added. For a batch of one. */
  readonly cache?: KeyValueCache;
  /** First position of each row that is not padding, for rows padded on the left; 0 where left out. */
  readonly starts?: readonly number[];
}

interface Positions {
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** i32 [B, T]: rows of the tables */
  readonly ids: Tensor;
  /** i32 [B] */
  readonly starts: Tensor;
  readonly offset: number;
}

type LayerInputs = [input: Tensor, cos: Tensor, sin: Tensor, ids: Tensor, starts: Tensor];

export class Llama {
  constructor(
    readonly backend: Backend,
    readonly config: LlamaConfig,
    /** [vocabulary, hidden], f32 or 16-bit. */
    readonly embedTokens: Tensor,
    readonly layers: readonly LlamaLayer[],
    readonly norm: Tensor,
    /** [vocabulary, hidden]: the embeddings again where they are tied. */
    readonly head: Tensor,
  ) {}

  /** Hidden states after the last norm: ids i32 [B, T] → f32 [B, T, hidden]. The head is applied by whoever knows which rows are needed. */
  forward(ids: Tensor, pass: LlamaPass): Tensor {
    const [batch, time] = ids.shape as [number, number];
    return scope(this.backend, () => {
      const positions = this.#positions(batch, time, pass);
      let x = embedding(ids, this.embedTokens);
      this.layers.forEach((layer, i) => {
        // what a layer reads besides its parameters goes through the inputs, so that a checkpoint holds it
        const run = (...[input, cos, sin, ids, starts]: LayerInputs): Tensor =>
          this.#layer(layer, i, input, { cos, sin, ids, starts, offset: positions.offset }, pass);
        const inputs: LayerInputs = [x, positions.cos, positions.sin, positions.ids, positions.starts];
        const recompute = pass.recompute?.[i] ?? "nothing";
        x =
          recompute === "nothing"
            ? scope(this.backend, () => run(...inputs))
            : checkpoint(run, inputs, { keepProducts: recompute === "cheap" });
      });
      if (pass.cache) pass.cache.length += time;
      return rmsNorm(x, this.norm, this.config.rmsNormEps);
    });
  }

  #positions(batch: number, time: number, { cache, starts = [] }: LlamaPass): Positions {
    const offset = cache?.length ?? 0;
    const { cos, sin } = ropeTables(this.config, offset, time);
    const half = this.config.headDim / 2;
    const table = (values: Float32Array): Tensor => tensor(this.backend, values, [time, half]);
    const first = Array.from({ length: batch }, (_, b) => starts[b] ?? 0);
    const ids = first.flatMap((start) => Array.from({ length: time }, (_, t) => Math.max(0, t - start)));
    return {
      cos: table(cos),
      sin: table(sin),
      ids: tensor(this.backend, ids, [batch, time], "i32"),
      starts: tensor(this.backend, first, [batch], "i32"),
      offset,
    };
  }

  // x + o(attention(q, k, v)), then x + down(silu(gate)·up); both residuals go through the products' addend
  #layer({ inputNorm, postAttentionNorm, linears }: LlamaLayer, index: number, x: Tensor, at: Positions, pass: LlamaPass): Tensor {
    const { heads, kvHeads, headDim, rmsNormEps } = this.config;
    const [batch, time] = x.shape as [number, number];
    const split = (y: Tensor, count: number): Tensor => reshape(y, [batch, time, count, headDim]);
    const turn = (y: Tensor): Tensor => rope(y, at.cos, at.sin, at.ids);

    const h = rmsNorm(x, inputNorm, rmsNormEps);
    const q = turn(split(linears["self_attn.q_proj"].forward(h, pass), heads));
    let k = turn(split(linears["self_attn.k_proj"].forward(h, pass), kvHeads));
    let v = split(linears["self_attn.v_proj"].forward(h, pass), kvHeads);
    if (pass.cache) {
      pass.cache.append(index, k, v);
      [k, v] = [pass.cache.keys[index]!, pass.cache.values[index]!];
    }
    const seen = attention(q, k, v, at.starts, { scale: headDim ** -0.5, offset: at.offset });
    const attended = linears["self_attn.o_proj"].forward(reshape(seen, [batch, time, heads * headDim]), pass, x);

    const h2 = rmsNorm(attended, postAttentionNorm, rmsNormEps);
    const gated = swiglu(linears["mlp.gate_proj"].forward(h2, pass), linears["mlp.up_proj"].forward(h2, pass));
    return linears["mlp.down_proj"].forward(gated, pass, attended);
  }

  /** All linear layers by the names PEFT and the checkpoint use, without the head. */
  linears(): Map<string, Linear> {
    return new Map(
      this.layers.flatMap(({ linears }, i) =>
        Object.entries(linears).map(([name, linear]) => [`model.layers.${i}.${name}`, linear] as const),
      ),
    );
  }

  /** Puts another layer in the place of one, the base with an adapter around it or without. */
  replaceLinear(name: string, linear: Linear): void {
    const [, index, part] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    const linears = this.layers[Number(index)]?.linears;
    if (!linears || !part || !(part in linears)) throw new RangeError(`${name} is no linear layer of this model.`);
    linears[part as LlamaLinearName] = linear;
  }

  dispose(): void {
    for (const { inputNorm, postAttentionNorm, linears } of this.layers) {
      inputNorm.dispose();
      postAttentionNorm.dispose();
      for (const linear of Object.values(linears)) linear.dispose();
    }
    this.embedTokens.dispose();
    this.norm.dispose();
    if (this.head !== this.embedTokens) this.head.dispose();
  }
}
