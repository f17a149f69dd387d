// T5's attention: scores are not scaled, and a bias that depends on the distance is added to them. As a composite of plain ops: its matrices of scores exist, one
// layer's at a time.
import { add, matmul, permute, reshape, softmax, type Tensor } from "@qlora-js/core";
import type { ForwardContext } from "./linear.ts";
import type { LinearSlot } from "./linear-slot.ts";

export interface T5AttentionParts {
  readonly query: LinearSlot;
  readonly key: LinearSlot;
  readonly value: LinearSlot;
  readonly output: LinearSlot;
}

export interface KeysValues {
  /** f32 [B, S, heads, headDim] */
  readonly keys: Tensor;
  readonly values: Tensor;
}

export class T5Attention {
  constructor(
    readonly heads: number,
    readonly headDim: number,
    readonly parts: T5AttentionParts,
  ) {}

  /** Keys and values of x [B, S, hidden]. */
  project(x: Tensor, context: ForwardContext): KeysValues {
    const split = (slot: LinearSlot): Tensor => reshape(slot.forward(x, context), [x.shape[0]!, x.shape[1]!, this.heads, this.headDim]);
    return { keys: split(this.parts.key), values: split(this.parts.value) };
  }

  /**
   * y = addend + output(softmax(q·kᵀ + bias)·v): queries of x [B, T, hidden] over S keys.
   * @param bias f32, broadcast to [B, heads, T, S]: distances, and a large negative number where a query must not look
   */
  forward(x: Tensor, { keys, values }: KeysValues, bias: Tensor, context: ForwardContext, addend: Tensor): Tensor {
    const { heads, headDim } = this;
    const [batch, time] = x.shape as [number, number];
    const apart = (y: Tensor): Tensor => permute(y, [0, 2, 1, 3]); // [B, heads, ·, headDim]
    const q = apart(reshape(this.parts.query.forward(x, context), [batch, time, heads, headDim]));
    const scores = add(matmul(q, apart(keys), { transposeB: true }), bias);
    const seen = apart(matmul(softmax(scores), apart(values)));
    return this.parts.output.forward(reshape(seen, [batch, time, heads * headDim]), context, addend);
  }
}
