// How large a micro-batch of a data set can get: a forecast is of the largest.
import type { Example } from "../data/tokenize.ts";

/** How large a micro-batch gets: rows, tokens of the longest, tokens with a loss. */
export interface BatchShape {
  /** Rows. */
  readonly batch: number;
  /** Tokens of the longest row; shorter ones are padded to it. */
  readonly length: number;
  /** Tokens that the loss is on. */
  readonly supervised: number;
  /** Tokens of the longest source, where there are sources. */
  readonly source?: number;
}

/** The longest row, and the most supervised tokens that so many rows have. */
export function batchShape(examples: readonly Pick<Example, "inputIds" | "supervised" | "source">[], batch: number): BatchShape {
  const rows = Math.min(batch, examples.length);
  const counts = examples.map(({ supervised }) => supervised).sort((a, b) => b - a);
  return {
    batch: rows,
    length: examples.reduce((longest, { inputIds }) => Math.max(longest, inputIds.length), 0),
    supervised: counts.slice(0, rows).reduce((a, b) => a + b, 0),
    ...(examples.some(({ source }) => source) ? { source: Math.max(...examples.map(({ source }) => source?.length ?? 0)) } : {}),
  };
}
