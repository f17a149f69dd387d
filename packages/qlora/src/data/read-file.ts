// DATA of the command: a .jsonl or .parquet file, or a folder with train.jsonl and perhaps valid.jsonl, or with such files of parquet, each
// split perhaps in several. Node only. A file of text is read once: parsed and hashed together.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UsageError } from "../error.ts";
import type { RowKind } from "./row-kinds.ts";
import { type PlacedRow, parseRows, readRows } from "./rows.ts";
import { groupShards } from "./shards.ts";

/** The files of a data set: of each split one, or several that are read one after another. */
export interface DataPaths {
  readonly train: readonly string[];
  readonly valid?: readonly string[];
}

/** A split's file, read; or its files. */
export interface DataFile {
  readonly paths: readonly string[];
  /** Of the bytes of all, one after another, in hexadecimal. */
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
  if (found === "file") return { train: [path] };
  if (found === "nothing")
    throw new UsageError(path, "does not exist. Give a .jsonl or .parquet file, or a folder with train.jsonl.", { path });
  const train = await splitIn(path, "train", ["train"]);
  const valid = await splitIn(path, "valid", ["validation", "valid", "val"]);
  if (train === undefined) throw new UsageError(path, "has no train.jsonl and no train.parquet. Put the rows there, one a line.", { path });
  return valid === undefined ? { train } : { train, valid };
}

/** `valid.jsonl`; else `validation.parquet` or as the hub's data sets name files, there or in `data`: `validation-00000-of-00002.parquet` and so on. */
async function splitIn(folder: string, split: string, names: readonly string[]): Promise<readonly string[] | undefined> {
  const lines = join(folder, `${split}.jsonl`);
  if ((await kindOfPath(lines)) === "file") return [lines];
  const parquet = new RegExp(`^(?:${names.join("|")})(?:-\\d{5}-of-\\d{5})?(?:-[0-9a-f]{16})?\\.parquet$`, "i");
  for (const place of [folder, join(folder, "data")]) {
    const files = (await kindOfPath(place)) === "folder" ? (await readdir(place)).filter((file) => parquet.test(file)).sort() : [];
    if (files.length === 0) continue;
    const [shards, other] = groupShards(files);
    if (shards?.whole && !other) return shards.paths.map((file) => join(place, file));
    const what = other ? `has ${files.length} files of rows that may be meant for ${split}` : `lacks some of the files of ${split}`;
    throw new UsageError(place, `${what}. Give one of them: ${files.slice(0, 6).join(", ")}`, { files });
  }
  return undefined;
}

/**
 * Reads a data file, or those of a split, one after another.
 * @throws UsageError as `readRows`, and if a file cannot be read or is not UTF-8.
 */
export async function readDataFile(given: string | readonly string[]): Promise<DataFile> {
  const paths = [given].flat();
  const hash = createHash("sha256");
  const rows: PlacedRow[] = [];
  for (const path of paths) {
    const read = /\.parquet$/i.test(path) ? parquetFile(path, hash, rows[0]) : readRows(textOf(path, hash), basename(path), rows[0]);
    for await (const row of read) rows.push(row);
  }
  const kind = rows[0]?.row.kind;
  if (kind === undefined) throw new UsageError(paths.join(", "), "has no rows.", { paths });
  return { paths, sha256: hash.digest("hex"), kind, rows };
}

async function* parquetFile(path: string, hash: Hash, first: PlacedRow | undefined): AsyncGenerator<PlacedRow> {
  if ((await kindOfPath(path)) !== "file") throw new UsageError(path, "cannot be read (ENOENT).", { path, code: "ENOENT" });
  const { parquetRows } = await import("./parquet.ts");
  yield* parseRows(parquetRows(path), basename(path), first);
  for await (const bytes of bytesOf(path)) hash.update(bytes);
}

async function* textOf(path: string, hash: Hash): AsyncGenerator<string> {
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
