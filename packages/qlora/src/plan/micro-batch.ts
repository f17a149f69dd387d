// Forward and backward of one micro-batch on any device, as train() does them.
import { grad, scale, scope, sum, type Tensor } from "@qlora-js/core";
import type { Batch } from "../data/batch.ts";
import { NOT_SUPERVISED } from "../data/rows.ts";
import type { BatchShape } from "./batch-shape.ts";

export interface MicroBatch {
  readonly loss: Tensor;
  readonly grads: Tensor[];
}

/**
 * The mean loss and its gradients.
 * @param losses of every supervised token
 * @param between called when the forward pass is done and the backward pass has not begun
 */
export function microBatch(
  parameters: readonly Tensor[],
  supervised: number,
  losses: () => Tensor,
  between: () => void = () => {},
): MicroBatch {
  return scope(parameters[0]!.backend, () => {
    const loss = scale(sum(losses()), 1 / supervised);
    between();
    return { loss: loss.detach(), grads: grad(loss, parameters) };
  });
}

/** A batch of zeros of this shape, with the loss on the last `supervised` places of its rows, spread evenly. */
export function blankBatch({ batch, length, supervised, source }: BatchShape): Batch {
  const labels = new Int32Array(batch * length).fill(NOT_SUPERVISED);
  const most = batch * (length - 1);
  const count = Math.max(1, Math.min(most, Math.round(supervised)));
  for (let n = 0; n < count; n++) labels[(n % batch) * length + length - 1 - Math.floor(n / batch)] = 0;
  return {
    inputIds: new Int32Array(batch * length),
    labels,
    batch,
    length,
    supervised: count,
    lengths: Array(batch).fill(length),
    bytes: 0,
    source:
      source === undefined ? undefined : { inputIds: new Int32Array(batch * source), length: source, lengths: Array(batch).fill(source) },
  };
}
