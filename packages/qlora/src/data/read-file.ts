// DATA of the command: a .jsonl file, or a folder with train.jsonl and perhaps valid.jsonl. Node only. A file is read once: parsed and hashed together.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UsageError } from "../error.ts";
import type { RowKind } from "./row-kinds.ts";
import { type PlacedRow, readRows } from "./rows.ts";

/** The files of a data set. */
export interface DataPaths {
  readonly train: string;
  readonly valid?: string;
}

/** A data file, read. */
export interface DataFile {
  readonly path: string;
  /** Of the file's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly kind: RowKind;
  readonly rows: readonly PlacedRow[];
}

/**
 * Finds the files that DATA names.
 * @throws UsageError if there is nothing there, or a folder without `train.jsonl`.
 */
export async function findData(path: string): Promise<DataPaths> {
  const found = await kindOfPath(path);
  if (found === "file") return { train: path };
  if (found === "nothing") throw new UsageError(path, "does not exist. Give a .jsonl file, or a folder with train.jsonl.", { path });
  const train = join(path, "train.jsonl");
  const valid = join(path, "valid.jsonl");
  if ((await kindOfPath(train)) !== "file") throw new UsageError(path, "has no train.jsonl. Put the rows there, one a line.", { path });
  return (await kindOfPath(valid)) === "file" ? { train, valid } : { train };
}

/**
 * Reads a data file.
 * @throws UsageError as `readRows`, and if the file cannot be read or is not UTF-8.
 */
export async function readDataFile(path: string): Promise<DataFile> {
  const hash = createHash("sha256");
  const rows: PlacedRow[] = [];
  for await (const row of readRows(textOf(path, hash), basename(path))) rows.push(row);
  const kind = rows[0]?.row.kind;
  if (kind === undefined) throw new UsageError(path, "has no rows.", { path });
  return { path, sha256: hash.digest("hex"), kind, rows };
}

async function* textOf(path: string, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new UsageError(path, "is not UTF-8 text. Save it as UTF-8.", { path }, { cause });
    }
  };
  for await (const bytes of bytesOf(path)) {
    hash.update(bytes);
    yield decode(bytes);
  }
  yield decode();
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of createReadStream(path)) yield bytes as Uint8Array;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new UsageError(path, `cannot be read (${code}).`, { path, code }, { cause });
  }
}

async function kindOfPath(path: string): Promise<"file" | "folder" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return "nothing";
  }
}
