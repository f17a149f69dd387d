// Choosing the next token from logits: temperature, then top-k, then top-p, then a draw that is a pure function of the key. A vocabulary is large and this is
// done for each token: only the tokens that may be drawn are sorted.
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

/** A token id; undefined if the largest logit is not finite. `draw` counts draws under the key. */
export function sampleToken(logits: Float32Array, options: SamplingOptions, key: RandomKey, draw: number): number | undefined {
  const likeliest = mostLikely(logits);
  if (!Number.isFinite(logits[likeliest])) return undefined;
  if (options.temperature === 0) return likeliest;
  const weights = weightsOf(logits, logits[likeliest]!, options.temperature);
  const drawn = mayBeDrawn(logits, weights, options);
  let rest = uniformAt(key, draw) * sumOf(weights, drawn);
  for (const id of drawn) {
    rest -= weights[id]!;
    if (rest < 0) return id;
  }
  return drawn.at(-1);
}

/** Position of the largest, the first of equals. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Probabilities, but for a common factor: the likeliest has 1. */
function weightsOf(logits: Float32Array, best: number, temperature: number): Float64Array {
  const weights = new Float64Array(logits.length);
  for (let id = 0; id < weights.length; id++) weights[id] = Math.exp((logits[id]! - best) / temperature);
  return weights;
}

function sumOf(weights: Float64Array, ids: readonly number[]): number {
  let sum = 0;
  for (const id of ids) sum += weights[id]!;
  return sum;
}

/** The tokens that top-k and top-p leave, the likeliest first; all, in order of their ids, where neither takes any away. */
function mayBeDrawn(logits: Float32Array, weights: Float64Array, { topK, topP }: SamplingOptions): readonly number[] {
  const all = atLeast(weights, 0);
  if (topK === 0 && topP === 1) return all;
  const wanted = topK > 0 ? 0 : topP * sumOf(weights, all);
  const count = Math.min(topK, all.length);
  // those above a floor, which goes down until they are enough; it ends at 0
  let head: number[] = [];
  for (let floor = 2 ** -4; head.length < count || sumOf(weights, head) < wanted; floor *= floor) head = atLeast(weights, floor);
  head.sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (topK === 0) return nucleus(weights, head, wanted);
  const kept = head.slice(0, count);
  return nucleus(weights, kept, topP * sumOf(weights, kept));
}

function atLeast(weights: Float64Array, floor: number): number[] {
  const ids: number[] = [];
  for (let id = 0; id < weights.length; id++) if (weights[id]! >= floor) ids.push(id);
  return ids;
}

/** The shortest head that weighs so much. */
function nucleus(weights: Float64Array, ordered: readonly number[], wanted: number): readonly number[] {
  let weight = 0;
  let size = 0;
  while (size < ordered.length && (size === 0 || weight < wanted)) weight += weights[ordered[size++]!]!;
  return ordered.slice(0, size);
}
