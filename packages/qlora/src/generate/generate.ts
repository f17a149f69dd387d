// Text token by token: the prompt in one pass, then one position a token over cached keys and values.
import { fold, key, noGrad, reshape, scope, type Tensor } from "@qlora-js/core";
import { NotFiniteError, UsageError } from "../error.ts";
import type { Generation, LanguageModel } from "../models/language-model.ts";
import { logits } from "../models/logits.ts";
import { type SamplingOptions, sampleToken } from "./sample-token.ts";

/** Names the stream of random numbers for sampling, apart from the others under the same seed. */
const SAMPLING_STREAM = 0x73616d70; // "samp"

/** How tokens are chosen, and when to stop. */
export interface GenerateOptions extends SamplingOptions {
  readonly maxNewTokens: number;
  readonly seed: number;
  /** Tokens that end the text; the one that did is the last yielded. */
  readonly stopIds: readonly number[];
}

/**
 * Continues a prompt, or answers it where the model has an encoder, yielding each token's id as it is chosen. Ends at a stop token, after maxNewTokens,
 * or where the model's positions end.
 * @throws UsageError if the prompt is empty, longer than the model's positions, or has ids out of the vocabulary; NotFiniteError if the model predicts NaN
 */
export async function* generate(
  model: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<number, void, void> {
  checkPrompt(prompt, model.config.vocabSize, model.config.maxPositions);
  const stream = fold(key(options.seed), SAMPLING_STREAM);
  const stop = new Set(options.stopIds);
  const text = model.generation(prompt, options.maxNewTokens);
  try {
    let next = text.first;
    for (let n = 0; n < options.maxNewTokens && text.length + next.length <= text.capacity; n++) {
      const scores = nextLogits(model, text, next);
      const id = sampleToken(await scores.read(), options, stream, n);
      scores.dispose();
      if (id === undefined) throw new NotFiniteError(text.length);
      yield id;
      if (stop.has(id)) return;
      next = [id];
    }
  } finally {
    text.dispose();
  }
}

/** Logits of the token after these, [vocabulary]. */
const nextLogits = (model: LanguageModel, text: Generation, ids: readonly number[]): Tensor =>
  noGrad(model.backend, () => scope(model.backend, () => reshape(logits(model, text.next(ids)), [-1])));

function checkPrompt(prompt: readonly number[], vocabSize: number, maxPositions: number): void {
  if (prompt.length === 0) throw new UsageError("--prompt", "is empty, so there is nothing to continue. Give at least one token.");
  if (prompt.length >= maxPositions) {
    throw new UsageError("--prompt", `has ${prompt.length} tokens, and the model has ${maxPositions} positions. Shorten it.`, {
      tokens: prompt.length,
      positions: maxPositions,
    });
  }
  const odd = prompt.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (odd >= 0)
    throw new UsageError("prompt", `token ${odd} is ${prompt[odd]}, outside the model's vocabulary of ${vocabSize}.`, {
      id: prompt[odd],
      position: odd,
    });
}
