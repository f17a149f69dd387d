// Choosing the next token from logits: temperature, then top-k, then top-p, then a draw that is a pure function of the key.
import { type RandomKey, uniformAt } from "@qlora-js/core";

/** How a token is drawn from logits. */
export interface SamplingOptions {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** Draw from the k most likely; 0 for all. */
  readonly topK: number;
  /** Draw from the most likely that together have at least this probability; 1 for all. */
  readonly topP: number;
}

/** A token id. `draw` counts draws under the key. */
export function sampleToken(logits: Float32Array, { temperature, topK, topP }: SamplingOptions, key: RandomKey, draw: number): number {
  if (temperature === 0) return mostLikely(logits);
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const best = logits[order[0]!]!;
  const candidates = topK > 0 ? order.slice(0, topK) : order;
  const weights = candidates.map((id) => Math.exp((logits[id]! - best) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  // the nucleus: shortest head of the order with at least topP of the probability
  let nucleus = 0;
  let size = 0;
  while (size < candidates.length && (size === 0 || nucleus < topP * total)) nucleus += weights[size++]!;
  let rest = uniformAt(key, draw) * nucleus;
  for (let i = 0; i < size; i++) {
    rest -= weights[i]!;
    if (rest < 0) return candidates[i]!;
  }
  return candidates[size - 1]!;
}

/** Position of the largest, the first of equals. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
