// Text token by token: the prompt in one pass, then one position a token over cached keys and values.
import { fold, key, noGrad, reshape, scope, slice, type Tensor, tensor } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import type { Decoder } from "../models/decoder.ts";
import { logits } from "../models/logits.ts";
import { KeyValueCache } from "../nn/key-value-cache.ts";
import { type SamplingOptions, sampleToken } from "./sample-token.ts";

/** Names the stream of random numbers for sampling, apart from the others under the same seed. */
const SAMPLING_STREAM = 0x73616d70; // "samp"

export interface GenerateOptions extends SamplingOptions {
  readonly maxNewTokens: number;
  readonly seed: number;
  /** Tokens that end the text; the one that did is the last yielded. */
  readonly stopIds: readonly number[];
}

/**
 * Continues a prompt, yielding each token's id as it is chosen. Ends at a stop token, after maxNewTokens, or where the model's positions end.
 * @throws UsageError if the prompt is empty, longer than the model's positions, or has ids out of the vocabulary
 */
export async function* generate(model: Decoder, prompt: readonly number[], options: GenerateOptions): AsyncGenerator<number, void, void> {
  const { backend, config } = model;
  checkPrompt(prompt, config.vocabSize, config.maxPositions);
  const stream = fold(key(options.seed), SAMPLING_STREAM);
  const stop = new Set(options.stopIds);
  const cache = new KeyValueCache(backend, config, Math.min(config.maxPositions, prompt.length + options.maxNewTokens));
  try {
    let next = prompt;
    for (let n = 0; n < options.maxNewTokens && cache.length + next.length <= cache.capacity; n++) {
      const scores = nextLogits(model, next, cache);
      const id = sampleToken(await scores.read(), options, stream, n);
      scores.dispose();
      yield id;
      if (stop.has(id)) return;
      next = [id];
    }
  } finally {
    cache.dispose();
  }
}

/** Logits of the token after these, [vocabulary]; the cache then holds them. */
function nextLogits(model: Decoder, ids: readonly number[], cache: KeyValueCache): Tensor {
  return noGrad(model.backend, () =>
    scope(model.backend, () => {
      const hidden = model.forward(tensor(model.backend, ids, [1, ids.length], "i32"), { dropoutKey: null, cache });
      const last = reshape(slice(hidden, 1, ids.length - 1, ids.length), [1, model.config.hiddenSize]);
      return reshape(logits(model, last), [-1]);
    }),
  );
}

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
    throw new UsageError("--prompt", `token ${odd} is ${prompt[odd]}, outside the model's vocabulary of ${vocabSize}.`, {
      id: prompt[odd],
      position: odd,
    });
}
