// JSON Lines: one JSON value a line, read from a stream of text without holding more than one line. Blank lines are skipped and still counted.
import { UsageError } from "../error.ts";

/** One line's value and its number, from 1. */
export interface JsonLine {
  readonly line: number;
  readonly value: unknown;
}

/** The longest line that is read, in characters: 32 Mi. A longer one is most likely a file without line ends. */
export const LONGEST_LINE = 2 ** 25;
const EXCERPT = 60;
/** What a terminal would act upon. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * The values of a JSON Lines text that arrives in chunks.
 * @param file Name for errors.
 * @throws UsageError with the number and the beginning of a line that is not JSON or too long.
 */
export async function* jsonLines(
  chunks: AsyncIterable<string> | Iterable<string>,
  file: string,
  { longestLine = LONGEST_LINE }: { longestLine?: number } = {},
): AsyncGenerator<JsonLine> {
  let line = 0;
  for await (const text of lines(chunks, longestLine)) {
    line++;
    if (text.length > longestLine) throw lineError(file, line, text, `is longer than ${longestLine} characters. One row is one line`);
    if (text.trim() !== "") yield { line, value: parse(text, file, line) };
  }
}

/** Splits at line ends; a line over the limit comes out as soon as it passes it, so that no more of it is read. */
async function* lines(chunks: AsyncIterable<string> | Iterable<string>, longestLine: number): AsyncGenerator<string> {
  let rest = "";
  let first = true;
  for await (const chunk of chunks) {
    if (chunk === "") continue;
    const parts = (first ? chunk.replace(/^\uFEFF/, "") : chunk).split("\n");
    first = false;
    rest += parts[0] ?? "";
    for (const part of parts.slice(1)) {
      yield rest;
      rest = part;
    }
    if (rest.length > longestLine) yield rest;
  }
  if (rest !== "") yield rest;
}

function parse(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const hint = text.trimStart().startsWith("[") ? ". Write one object a line, without the list around them" : "";
    throw lineError(file, line, text, `is not JSON${hint}`, { cause });
  }
}

function lineError(file: string, line: number, text: string, what: string, options?: ErrorOptions): UsageError {
  const excerpt = (text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text.trimEnd()).replace(CONTROLS, "\ufffd");
  return new UsageError(`${file} line ${line}`, `${what}: ${excerpt}`, { file, line, excerpt }, options);
}
