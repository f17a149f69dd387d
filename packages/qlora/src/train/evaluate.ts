// How well a model predicts held-out text: every token weighs the same, however rows are batched.
import { noGrad, scope } from "@qlora-js/core";
import { makeBatch } from "../data/batch.ts";
import { inFileOrder } from "../data/order.ts";
import type { Example } from "../data/tokenize.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { tokenLosses } from "./token-losses.ts";

/** How well held-out text was predicted; every token weighs the same. */
export interface Evaluation {
  /** Mean negative log-likelihood of a supervised token, in nats. */
  readonly loss: number;
  /** e^loss; comparable only under one tokenizer and one mask. */
  readonly perplexity: number;
  /** Bits a byte of supervised text: comparable between tokenizers. NaN where the rows have no text. */
  readonly bitsPerByte: number;
  readonly supervisedTokens: number;
}

/** Evaluates on examples, `batch` rows at a time. Calls `onProgress` after each batch with rows done, and waits for what it returns. */
export async function evaluate(
  model: LanguageModel,
  examples: readonly Example[],
  batch: number,
  onProgress?: (rows: number) => void | Promise<void>,
): Promise<Evaluation> {
  let total = 0;
  let supervisedTokens = 0;
  let bytes = 0;
  let done = 0;
  for (const rows of inFileOrder(examples.length, batch)) {
    const made = makeBatch(rows.map((row) => examples[row]!));
    done += rows.length;
    bytes += made.bytes;
    if (made.supervised > 0) {
      const losses = noGrad(model.backend, () => scope(model.backend, () => tokenLosses(model, made, { dropoutKey: null })));
      for (const loss of await losses.read()) total += loss;
      losses.dispose();
      supervisedTokens += made.supervised;
    }
    await onProgress?.(done);
  }
  const loss = total / supervisedTokens;
  return { loss, perplexity: Math.exp(loss), bitsPerByte: bytes > 0 ? total / Math.LN2 / bytes : Number.NaN, supervisedTokens };
}
