// The layers of T5's two stacks: norms stand before each part, and each part is added to what came in.
import type { Tensor } from "@qlora-js/core";
import type { ForwardContext } from "../nn/linear.ts";
import type { Mlp } from "../nn/mlp.ts";
import type { Norm } from "../nn/norm.ts";
import type { KeysValues, T5Attention } from "../nn/t5-attention.ts";

interface Sublayer<Part> {
  readonly norm: Norm;
  readonly part: Part;
}

export class T5EncoderBlock {
  constructor(
    readonly attention: Sublayer<T5Attention>,
    readonly mlp: Sublayer<Mlp>,
  ) {}

  /** x [B, S, hidden], bias [B, heads, S, S] → [B, S, hidden] */
  forward(x: Tensor, bias: Tensor, context: ForwardContext): Tensor {
    const { norm, part } = this.attention;
    const normed = norm.forward(x);
    const attended = part.forward(normed, part.project(normed, context), bias, context, x);
    return this.mlp.part.forward(this.mlp.norm.forward(attended), context, attended);
  }
}

/** What a decoder's layer attends to. */
export interface DecoderSight {
  /** f32, broadcast to [B, heads, T, keys] */
  readonly selfBias: Tensor;
  /** f32 [B, 1, 1, S] */
  readonly crossBias: Tensor;
  /** Keys and values of the encoder's output. */
  readonly cross: (attention: T5Attention) => KeysValues;
  /** Keys and values of the decoder's own positions: those just computed, or with earlier ones before them. */
  readonly own: (computed: KeysValues) => KeysValues;
}

export class T5DecoderBlock {
  constructor(
    readonly attention: Sublayer<T5Attention>,
    readonly cross: Sublayer<T5Attention>,
    readonly mlp: Sublayer<Mlp>,
  ) {}

  /** x [B, T, hidden] → the same shape */
  forward(x: Tensor, sight: DecoderSight, context: ForwardContext): Tensor {
    const { norm, part } = this.attention;
    const normed = norm.forward(x);
    const own = sight.own(part.project(normed, context));
    const attended = part.forward(normed, own, sight.selfBias, context, x);
    const crossed = this.cross.part.forward(
      this.cross.norm.forward(attended),
      sight.cross(this.cross.part),
      sight.crossBias,
      context,
      attended,
    );
    return this.mlp.part.forward(this.mlp.norm.forward(crossed), context, crossed);
  }
}
