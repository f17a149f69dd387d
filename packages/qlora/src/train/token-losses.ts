import { indexSelect, linearCrossEntropy, reshape, type Tensor, tensor } from "@qlora-js/core";
import type { Batch } from "../data/batch.ts";
import type { Decoder } from "../models/decoder.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import { supervisedRows } from "./supervised-rows.ts";

/** The cross-entropy of every supervised token of a batch that has any: f32 [supervised], in reading order. Call within a scope. */
export function tokenLosses(model: Decoder, batch: Batch, pass: ForwardPass): Tensor {
  const { backend, config } = model;
  const { rows, targets } = supervisedRows(batch);
  const ids = tensor(backend, batch.inputIds, [batch.batch, batch.length], "i32");
  const hidden = reshape(model.forward(ids, pass), [-1, config.hiddenSize]);
  const picked = indexSelect(hidden, tensor(backend, rows, [rows.length], "i32"));
  return linearCrossEntropy(picked, model.head, tensor(backend, targets, [targets.length], "i32"));
}
