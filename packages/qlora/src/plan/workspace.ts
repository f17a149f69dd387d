// What kernels of the CPU backend take for themselves while they run, where it matters for a forecast: a model of their launchers, not a contract.
// Those of the matrix products are smaller than what comes and goes around them.
import type { View } from "@qlora-js/core";

const PARTS = 8; // of the vocabulary
const BLOCK = 128; // logits at a time
const BLOCK_ROWS = 40; // rows at a time
const GATHERED = 8 * 2 ** 20; // for what the parts' sums take, but for 32 rows at least and 256 at most
const HEADS_TOGETHER = 16 * 2 ** 20; // above it, query heads that share a key head are not summed apart

/** Bytes that a run of an op takes besides its inputs and outputs, on a backend of some kind. */
export type Workspace = (op: string, inputs: readonly View[], outputs: readonly View[], attrs: object) => number;

/** On the CPU. */
export function cpuWorkspace(op: string, inputs: readonly View[], outputs: readonly View[]): number {
  if (op === "linearCrossEntropy") return headBytes(inputs[0]!.shape, inputs[1]!.shape[0]!, outputs[1]!.shape[0] !== 0);
  return op === "attentionBackward" ? attentionBytes(inputs[0]!.shape, inputs[1]!.shape) : 0;
}

/** Each part has its block of logits and of the head's rows, and sums of its own for a chunk of rows; the chunk itself is there once more, in tiles. */
function headBytes([rows = 0, n = 0]: readonly number[], vocabulary: number, withGradient: boolean): number {
  const part = BLOCK * Math.ceil(vocabulary / BLOCK / PARTS);
  const parts = Math.ceil(vocabulary / part);
  const wide = 8 * Math.ceil(n / 8);
  const chunk = Math.min(rows, 256, Math.max(32, 4 * Math.floor(GATHERED / (16 * parts * wide))));
  const spare = 4 * Math.ceil(chunk / 4);
  const block = 4 * (BLOCK * (n + (withGradient ? wide : 0)) + 2 * BLOCK_ROWS * BLOCK + BLOCK_ROWS);
  return parts * (block + spare * (12 + (withGradient ? 4 * wide : 0))) + 4 * chunk + 4 * (chunk + 3) * n;
}

/** Gradients of keys and values a query head, before those that share a key head are summed. */
function attentionBytes([batch = 0, , heads = 0, size = 0]: readonly number[], [, keys = 0, groups = 0]: readonly number[]): number {
  const bytes = 8 * batch * keys * heads * size;
  return heads === groups || bytes > HEADS_TOGETHER ? 0 : bytes;
}
