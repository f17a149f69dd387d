// Data rows as the user writes them: recognised by their keys, checked, and of one kind throughout a data set. No tokens here: see tokenize.ts.
import * as z from "zod/mini";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { tryJson } from "../formats/read-json.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import { type JsonLine, jsonLines } from "./jsonl.ts";
import { KNOWN_ROWS, kindOf, nearestKind, ROW_FORMS, ROW_KEYS, type RowKind } from "./row-kinds.ts";

/** A row, checked. */
export type Row =
  | { readonly kind: "messages"; readonly messages: readonly ChatMessage[] }
  | { readonly kind: "completion"; readonly prompt: string; readonly completion: string }
  | { readonly kind: "instruction"; readonly instruction: string; readonly input: string; readonly output: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tokens"; readonly inputIds: readonly number[]; readonly labels: readonly number[] };

/** A row and where it stands. */
export interface PlacedRow {
  readonly row: Row;
  readonly file: string;
  /** From 1, blank lines counted. */
  readonly line: number;
}

/** The label of a position that the loss is not on. */
export const NOT_SUPERVISED = -100;

const label = z
  .int()
  .check(z.refine((id) => id >= 0 || id === NOT_SUPERVISED, `expected an id, or ${NOT_SUPERVISED} for a position without loss`));

const schemas = {
  messages: z.pipe(
    z.object({ messages: z.array(z.looseObject({ role: z.string().check(z.minLength(1)), content: z.string() })).check(z.minLength(1)) }),
    z.transform(({ messages }): Row => ({ kind: "messages", messages })),
  ),
  completion: z.pipe(
    z.object({ prompt: z.string(), completion: z.string() }),
    z.transform((row): Row => ({ kind: "completion", ...row })),
  ),
  instruction: z.pipe(
    z.object({ instruction: z.string(), input: z.nullish(z.string()), output: z.string() }),
    z.transform((row): Row => ({ kind: "instruction", ...row, input: row.input ?? "" })),
  ),
  text: z.pipe(
    z.object({ text: z.string() }),
    z.transform((row): Row => ({ kind: "text", ...row })),
  ),
  tokens: z.pipe(
    z.object({ input_ids: z.array(z.int().check(z.nonnegative())).check(z.minLength(1)), labels: z.array(label) }),
    z.transform((row): Row => ({ kind: "tokens", inputIds: row.input_ids, labels: row.labels })),
  ),
} satisfies Record<RowKind, z.ZodMiniType<Row>>;

/**
 * One row from a parsed JSON value.
 * @throws UsageError naming the line, and the keys or the field that is wrong.
 */
export function parseRow({ value, line }: JsonLine, file: string): PlacedRow {
  const where = `${file} line ${line}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
    throw new UsageError(where, `is ${found}, not an object. Known rows: ${KNOWN_ROWS}.`, { file, line });
  }
  const keys = Object.keys(value);
  const kind = kindOf(keys);
  if (kind === undefined) throw unknownKeys(where, keys, { file, line });
  const result = tryJson<Row>(schemas[kind], value);
  if (result.success) return { row: result.data, file, line };
  const issue = result.error.issues[0]!;
  const path = fieldAt(issue.path) || ROW_KEYS[kind].join(" + ");
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const is = issue.path.length === 0 ? "" : ` is ${quoted(found)}`;
  const what = `${path}${is}: ${issue.message.replace(/^Invalid input: /, "")}. Write rows as ${ROW_FORMS[kind]}.`;
  throw new UsageError(where, what, { file, line, path: issue.path.join(".") || path });
}

/** `messages[0].content` */
const fieldAt = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((at, key) => (typeof key === "number" ? `${at}[${key}]` : `${at}${at && "."}${String(key)}`), "");

/**
 * The rows of a JSON Lines text that arrives in chunks; or of one JSON list, if the file is a .json that begins as one. The first row decides the kind of all.
 * @throws UsageError naming the line of a row that is broken, unknown, or of another kind than the first; and if there is no row at all.
 * @param before The first row of a file that is read before this one, with which it is one data set.
 */
export async function* readRows(
  chunks: AsyncIterable<string> | Iterable<string>,
  file: string,
  before?: PlacedRow,
): AsyncGenerator<PlacedRow> {
  yield* parseRows(valuesOf(chunks, file), file, before);
}

/** The same of values that are parsed already. */
export async function* parseRows(values: AsyncIterable<JsonLine>, file: string, before?: PlacedRow): AsyncGenerator<PlacedRow> {
  let first = before;
  for await (const jsonLine of values) {
    const placed = parseRow(jsonLine, file);
    first ??= placed;
    if (placed.row.kind !== first.row.kind) throw mixedKinds(first, placed);
    yield placed;
  }
  if (!first) throw new UsageError(file, `is empty. Write one row a line: ${KNOWN_ROWS}.`, { file });
}

/** A .json is a list of rows, or JSON Lines under another name. */
async function* valuesOf(chunks: AsyncIterable<string> | Iterable<string>, file: string): AsyncGenerator<JsonLine> {
  if (!/\.json$/i.test(file)) return yield* jsonLines(chunks, file);
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let begin = "";
  for (let next = await iterator.next(); ; next = await iterator.next()) {
    if (!next.done) begin += next.value;
    if (next.done || /[^\s\uFEFF]/.test(begin)) break;
  }
  const all = { [Symbol.asyncIterator]: () => withFirst(begin, iterator) };
  if (!/^[\s\uFEFF]*\[/.test(begin)) return yield* jsonLines(all, file);
  const { jsonArray } = await import("./json-array.ts"); // a page need not carry it
  yield* jsonArray(all, file);
}

async function* withFirst(first: string, rest: AsyncIterator<string> | Iterator<string>): AsyncGenerator<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** Keys that a message names. */
const MOST_KEYS = 12;

function unknownKeys(where: string, keys: readonly string[], place: { file: string; line: number }): UsageError {
  const near = nearestKind(keys);
  const given = keys.length === 0 ? "an object without keys" : `the keys ${keys.slice(0, MOST_KEYS).map(quoted).join(", ")}`;
  if (!near) return new UsageError(where, `${given} fit no kind of row. Known rows: ${KNOWN_ROWS}.`, { ...place, keys });
  const { kind, missing } = near;
  const changes = missing.map(({ key, like }) => (like === undefined ? `add "${key}"` : `rename "${like}" to "${key}"`)).join(" and ");
  const nearest = ROW_KEYS[kind].join(" + ");
  return new UsageError(where, `${given} fit no kind of row. Nearest is ${nearest}: ${changes}. Known rows: ${KNOWN_ROWS}.`, {
    ...place,
    keys,
    nearest: kind,
  });
}

function mixedKinds(first: PlacedRow, placed: PlacedRow): UsageError {
  const names = [placed, first].map(({ row }) => ROW_KEYS[row.kind].join(" + "));
  const begin = first.file === placed.file ? `line ${first.line}` : `${first.file} line ${first.line}`;
  const what = `is a row of ${names[0]}, and ${begin} of ${names[1]}. All rows of a data set are of one kind: split the file.`;
  return new UsageError(`${placed.file} line ${placed.line}`, what, {
    file: placed.file,
    line: placed.line,
    kind: placed.row.kind,
    expected: first.row.kind,
  });
}
