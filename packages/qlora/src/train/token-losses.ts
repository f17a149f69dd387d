import { indexSelect, isTracked, linearCrossEntropy, reshape, type Tensor, tensor } from "@qlora-js/core";
import type { Batch } from "../data/batch.ts";
import type { LanguageModel } from "../models/language-model.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import { supervisedRows } from "./supervised-rows.ts";
import { trainedHeadLosses } from "./trained-head-losses.ts";

/** The cross-entropy of every supervised token of a batch that has any: f32 [supervised], in reading order. Call within a scope. */
export function tokenLosses(model: LanguageModel, batch: Batch, pass: ForwardPass): Tensor {
  const { backend, config } = model;
  const { rows, targets } = supervisedRows(batch);
  const hidden = reshape(model.hidden(batch, pass), [-1, config.hiddenSize]);
  const picked = indexSelect(hidden, tensor(backend, rows, [rows.length], "i32"));
  const wanted = tensor(backend, targets, [targets.length], "i32");
  if (isTracked(model.head)) return trainedHeadLosses(model, picked, wanted);
  return linearCrossEntropy(picked, model.head, wanted, { softcap: config.logitSoftcap });
}
