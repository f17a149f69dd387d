// A JSON file of a folder, read with a bound on its size, and checked against a schema with messages that name key and value. Schemas that a page loads are
// zod/mini's: zod's own, with a method for everything, weigh 16 KB more there.
import { FormatError } from "@qlora-js/core";
import { en } from "zod/locales";
import * as z from "zod/mini";
import type { ByteSource } from "./byte-source.ts";
import type { Folder } from "./folder.ts";
import { quoted } from "./quoted.ts";

/**
 * @throws FormatError if the file is larger than `maxBytes`, not UTF-8 or not JSON
 */
export async function readJson(folder: Folder, file: string, maxBytes: number): Promise<unknown> {
  const source = await folder.open(file);
  try {
    return await parse(source, maxBytes);
  } finally {
    await source.close();
  }
}

async function parse(source: ByteSource, maxBytes: number): Promise<unknown> {
  const { name, byteLength } = source;
  if (byteLength > maxBytes) throw new FormatError(name, `has ${byteLength} bytes; a file of its kind has at most ${maxBytes}.`);
  const bytes = await source.read(0, byteLength);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(name, `is not JSON (${(error as Error).message}).`, { cause: error });
  }
}

/** A schema of zod or of zod/mini. */
type Schema<T> = z.core.$ZodType<T>;

const { localeError } = en();

/** `json` as the schema sees it, or what does not fit, in zod's English words; zod/mini has none of its own. */
export const tryJson = <T>(schema: Schema<T>, json: unknown): z.core.util.SafeParseResult<T> =>
  z.safeParse(schema, json, { error: localeError });

/**
 * `json` as the schema sees it.
 * @throws FormatError with the first key that does not fit, and its value
 */
export function checkJson<T>(file: string, schema: Schema<T>, json: unknown): T {
  const result = tryJson(schema, json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], json);
  const where = issue.path.length === 0 ? "" : `${quoted(issue.path.map(String).join("."))} `;
  const what = value === undefined ? "is missing" : `is ${quoted(value)}`;
  throw new FormatError(file, `${where}${what} (${issue.message.replace(/^Invalid input: /, "")}).`, { cause: result.error });
}
