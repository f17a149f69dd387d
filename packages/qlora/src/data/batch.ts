// Examples of unequal length as one rectangle. Padding stands on the right and its labels are −100 by position, never by comparing ids with the pad id:
// in many models the pad token is the stop token, and masking by id would take it out of training.
import { NOT_SUPERVISED } from "./rows.ts";
import type { Example } from "./tokenize.ts";

/** A rectangle of B = `batch` rows and T = `length` columns, row by row. */
export interface Batch {
  /** [B · T] */
  readonly inputIds: Int32Array;
  /** [B · T], unshifted; −100 where the loss is not and on padding. */
  readonly labels: Int32Array;
  readonly batch: number;
  readonly length: number;
  /** Labels the loss counts, after the shift by one: those of columns 1 … T − 1 that are not −100. */
  readonly supervised: number;
  /** Tokens of each row before padding. */
  readonly lengths: readonly number[];
  /** UTF-8 bytes of the supervised text. */
  readonly bytes: number;
  /** What an encoder reads, a row a row; undefined for models without one. */
  readonly source?: SourceRows | undefined;
}

/** Sources as a rectangle of S = `length` columns, padded on the right. */
export interface SourceRows {
  /** [B · S] */
  readonly inputIds: Int32Array;
  readonly length: number;
  /** Tokens of each row before padding. */
  readonly lengths: readonly number[];
}

/**
 * Puts examples side by side.
 * @param padId Any id of the vocabulary: nothing looks at it.
 */
export function makeBatch(examples: readonly Example[], padId = 0): Batch {
  const lengths = examples.map((example) => example.inputIds.length);
  const length = Math.max(0, ...lengths);
  const inputIds = new Int32Array(examples.length * length).fill(padId);
  const labels = new Int32Array(examples.length * length).fill(NOT_SUPERVISED);
  let supervised = 0;
  let bytes = 0;
  for (const [row, example] of examples.entries()) {
    inputIds.set(example.inputIds, row * length);
    labels.set(example.labels, row * length);
    supervised += example.labels.subarray(1).reduce((count, id) => count + Number(id !== NOT_SUPERVISED), 0);
    bytes += example.bytes;
  }
  return { inputIds, labels, batch: examples.length, length, supervised, lengths, bytes, source: sourceRows(examples, padId) };
}

function sourceRows(examples: readonly Example[], padId: number): SourceRows | undefined {
  const sources = examples.flatMap(({ source }) => (source ? [source] : []));
  if (sources.length === 0) return undefined;
  const lengths = sources.map((source) => source.length);
  const length = Math.max(...lengths);
  const inputIds = new Int32Array(sources.length * length).fill(padId);
  for (const [row, source] of sources.entries()) inputIds.set(source, row * length);
  return { inputIds, length, lengths };
}
