// What a data set is before training starts: lengths, what was cut, what the loss is on. Numbers only; the command words them.
import type { Row } from "./rows.ts";
import type { TokenizedRows } from "./tokenize.ts";

/** A part of a whole: how many, and the share of all in 0…1. */
export interface Part {
  readonly count: number;
  readonly share: number;
}

/** The facts of a tokenized data set. */
export interface DataStatistics {
  readonly rows: number;
  readonly kind: Row["kind"];
  /** Tokens per row before cutting (nearest-rank percentiles), and of all rows together. */
  readonly tokens: { readonly p50: number; readonly p95: number; readonly max: number; readonly total: number };
  /** Rows that were cut, and the tokens that were lost by it. */
  readonly truncated: { readonly rows: Part; readonly tokens: Part };
  /** Tokens the loss is on, of those kept. */
  readonly supervised: Part;
  /** Rows that lost all their supervised tokens by cutting and are left out. */
  readonly emptied: number;
  /** Rows by the number of beginning-of-sequence tokens they start with. More than one is a mistake in the data or the template. */
  readonly bos: { readonly none: number; readonly once: number; readonly more: number };
  /** Of the rows that were not cut: those with the loss on a token that stops generation, and those without (a model trained so may never stop). */
  readonly stop: { readonly trained: number; readonly untrained: number };
  /** UTF-8 bytes of the supervised text; 0 without a tokenizer. */
  readonly bytes: number;
}

/** Counts what training will see. */
export function dataStatistics({ examples, emptied }: TokenizedRows, kind: Row["kind"]): DataStatistics {
  const all = [...examples, ...emptied];
  const lengths = all.map((example) => example.fullLength).sort((a, b) => a - b);
  const total = sum(lengths);
  const kept = sum(all.map((example) => example.inputIds.length));
  const whole = all.filter((example) => !example.truncated);
  const rowsWith = (bos: (count: number) => boolean): number => all.filter((example) => bos(example.leadingBos)).length;
  const trained = whole.filter((example) => example.stopTrained).length;
  return {
    rows: all.length,
    kind,
    tokens: { p50: percentile(lengths, 0.5), p95: percentile(lengths, 0.95), max: lengths.at(-1) ?? 0, total },
    truncated: { rows: part(all.length - whole.length, all.length), tokens: part(total - kept, total) },
    supervised: part(sum(all.map((example) => example.supervised)), kept),
    emptied: emptied.length,
    bos: { none: rowsWith((n) => n === 0), once: rowsWith((n) => n === 1), more: rowsWith((n) => n > 1) },
    stop: { trained, untrained: whole.length - trained },
    bytes: sum(all.map((example) => example.bytes)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

const part = (count: number, of: number): Part => ({ count, share: of === 0 ? 0 : count / of });

/** The smallest value that at least the given share of the sorted values does not exceed. */
const percentile = (sorted: readonly number[], share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
