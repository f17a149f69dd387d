import { matmul, scale, type Tensor, tanh } from "@qlora-js/core";
import type { LanguageModel } from "./language-model.ts";

/** Scores of every token: hidden [..., hidden] → [..., vocabulary], capped where the model caps them. */
export function logits(model: LanguageModel, hidden: Tensor): Tensor {
  const { logitSoftcap: cap } = model.config;
  const plain = matmul(hidden, model.head, { transposeB: true });
  return cap === null ? plain : scale(tanh(scale(plain, 1 / cap)), cap);
}
