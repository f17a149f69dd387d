// Rows to examples: ids and labels cut to length, checked against the model's vocabulary and positions, with the facts statistics and evaluation need.
import { UsageError } from "../error.ts";
import { NOT_SUPERVISED, type PlacedRow } from "./rows.ts";
import { type Sequence, sequenceOf, type TextTools } from "./sequence.ts";

/** What rows are measured against. */
export interface TokenizeOptions extends TextTools {
  /** Ids must be below this: the rows of the model's embedding. */
  readonly vocabularySize: number;
  /** The longest sequence the model has positions for. */
  readonly maxPositions?: number | undefined;
  /** Longer sequences are cut to this on the right. Without it, one that is longer than `maxPositions` is an error. */
  readonly maxLength?: number | undefined;
}

/** A row ready to be trained or evaluated on. */
export interface Example {
  readonly inputIds: Int32Array;
  /** What an encoder reads; undefined for models without one. */
  readonly source?: Int32Array | undefined;
  /** Side by side with inputIds, unshifted; −100 where the loss is not. The first is always −100: nothing stands before it to predict it from. */
  readonly labels: Int32Array;
  /** Labels that are not −100. */
  readonly supervised: number;
  /** UTF-8 bytes of the supervised text, special tokens counting nothing; 0 without a tokenizer. */
  readonly bytes: number;
  readonly truncated: boolean;
  /** Tokens before cutting. */
  readonly fullLength: number;
  /** How many beginning-of-sequence tokens it starts with. */
  readonly leadingBos: number;
  /** Whether the loss is on a token that stops generation. */
  readonly stopTrained: boolean;
  readonly line: number;
}

/** A tokenized data set. */
export interface TokenizedRows {
  /** In file order, each with at least one supervised token. */
  readonly examples: readonly Example[];
  /** Rows left out because cutting to length took all their supervised tokens. */
  readonly emptied: readonly Example[];
}

/**
 * Tokenizes all rows.
 * @throws UsageError as `tokenizeRow`; also if no row keeps a supervised token after cutting.
 */
export function tokenizeRows(rows: readonly PlacedRow[], options: TokenizeOptions): TokenizedRows {
  const all = rows.map((placed) => tokenizeRow(placed, options));
  const examples = all.filter((example) => example.supervised > 0);
  const emptied = all.filter((example) => example.supervised === 0);
  if (examples.length === 0) {
    const what = `cut to ${options.maxLength} tokens, none of the ${all.length} rows keeps a supervised token. Raise --max-length.`;
    throw new UsageError(rows[0]?.file ?? "data", what, { maxLength: options.maxLength, rows: all.length });
  }
  return { examples, emptied };
}

/**
 * One row as an example. Only cutting to `maxLength` may leave it without a supervised token.
 * @throws UsageError naming the row: it cannot be tokenized (see `sequenceOf`), an id is outside the vocabulary, it is longer than the model's positions
 * and there is no `maxLength`, or it has no supervised token.
 */
export function tokenizeRow(placed: PlacedRow, options: TokenizeOptions): Example {
  checkMaxLength(options);
  const where = `${placed.file} line ${placed.line}`;
  const sequence = sequenceOf(placed, options);
  if (sequence.source?.length === 0)
    throw new UsageError(where, "has an empty source, so the encoder has nothing to read. Remove the row.");
  checkVocabulary(sequence, options, placed, where);
  const fullLength = sequence.ids.length;
  const { maxPositions = Number.POSITIVE_INFINITY, maxLength } = options;
  if (maxLength === undefined && fullLength > maxPositions) {
    const what = `has ${fullLength} tokens and the model ${maxPositions} positions. Set --max-length to cut, or split the row.`;
    throw new UsageError(where, what, { line: placed.line, length: fullLength, maxPositions });
  }
  if (countSupervised(sequence.labels) === 0) {
    throw new UsageError(where, "has no supervised token, so there is nothing to learn. Remove the row.", {
      file: placed.file,
      line: placed.line,
    });
  }
  return example(sequence, Math.min(fullLength, maxLength ?? fullLength), placed.line, options);
}

function example(
  { ids, labels, source }: Sequence,
  length: number,
  line: number,
  { tokenizer, maxLength = Number.POSITIVE_INFINITY }: TokenizeOptions,
): Example {
  const inputIds = Int32Array.from(ids.slice(0, length));
  const cutLabels = Int32Array.from(labels.slice(0, length));
  cutLabels[0] = NOT_SUPERVISED;
  const supervisedIds = cutLabels.filter((id) => id !== NOT_SUPERVISED);
  const bos = tokenizer?.special.bos?.id;
  const firstOther = inputIds.findIndex((id) => id !== bos);
  return {
    inputIds,
    source: source && Int32Array.from(cutSource(source, maxLength)),
    labels: cutLabels,
    supervised: supervisedIds.length,
    bytes: tokenizer ? new TextEncoder().encode(tokenizer.decode(supervisedIds, { skipSpecialTokens: true })).length : 0,
    truncated: length < ids.length || (source?.length ?? 0) > maxLength,
    fullLength: ids.length,
    leadingBos: firstOther < 0 ? length : firstOther,
    stopTrained: supervisedIds.some((id) => tokenizer?.stopIds.includes(id)),
    line,
  };
}

/** A source that is too long loses what stands before its last token, which ends it. */
const cutSource = (source: readonly number[], most: number): readonly number[] =>
  source.length > most ? [...source.slice(0, most - 1), source.at(-1)!] : source;

function checkMaxLength({ maxLength, maxPositions }: TokenizeOptions): void {
  if (maxLength === undefined) return;
  if (!Number.isInteger(maxLength) || maxLength < 2) {
    throw new UsageError("--max-length", `is ${maxLength}. Give a whole number of tokens, 2 or more.`, { maxLength });
  }
  if (maxPositions !== undefined && maxLength > maxPositions) {
    const what = `is ${maxLength}, and the model has positions for ${maxPositions}. Give at most that.`;
    throw new UsageError("--max-length", what, { maxLength, maxPositions });
  }
}

function checkVocabulary(
  { ids, labels, source = [] }: Sequence,
  { vocabularySize }: TokenizeOptions,
  { file, line }: PlacedRow,
  where: string,
): void {
  for (const [name, list] of [["input_ids", ids] as const, ["labels", labels] as const, ["source", source] as const]) {
    const position = list.findIndex((id) => id >= vocabularySize);
    if (position < 0) continue;
    const id = list[position];
    const what = `${name}[${position}] is ${id}, outside the model's vocabulary of ${vocabularySize}. Tokenize with this model's tokenizer.`;
    throw new UsageError(where, what, { file, line, position, id, vocabularySize });
  }
}

/** Labels that count: the first position is never predicted. */
const countSupervised = (labels: readonly number[]): number =>
  labels.reduce((count, id, i) => count + Number(i > 0 && id !== NOT_SUPERVISED), 0);
