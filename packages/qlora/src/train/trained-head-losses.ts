// The loss through a head that is trained: logits exist a chunk of rows at a time, in both passes; what is kept between them is the hidden states.
import { checkpoint, concat, crossEntropy, slice, type Tensor } from "@qlora-js/core";
import type { LanguageModel } from "../models/language-model.ts";
import { logits } from "../models/logits.ts";

/** Numbers of one chunk's logits: 16 MB of f32. */
const CHUNK = 4 << 20;

/** The cross-entropy of each row: hidden [rows, n], targets i32 [rows] → f32 [rows]. Gradients flow to the head as to the rows. */
export function trainedHeadLosses(model: LanguageModel, hidden: Tensor, targets: Tensor): Tensor {
  const total = hidden.shape[0]!;
  const rows = Math.max(1, Math.floor(CHUNK / model.config.vocabSize));
  const chunk = (x: Tensor, ids: Tensor): Tensor => crossEntropy(logits(model, x), ids);
  const parts: Tensor[] = [];
  for (let start = 0; start < total; start += rows) {
    const end = Math.min(total, start + rows);
    const inputs: [Tensor, Tensor] = [slice(hidden, 0, start, end), slice(targets, 0, start, end)];
    parts.push(total > rows ? checkpoint(chunk, inputs) : chunk(...inputs));
  }
  return parts.length === 1 ? parts[0]! : concat(parts);
}
