// DATA of the command: a .jsonl or .parquet file, or a folder with train.jsonl and perhaps valid.jsonl, or with such files of parquet. Node only. A file of
// text is read once: parsed and hashed together.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UsageError } from "../error.ts";
import { hashFile } from "../formats/file-hash.ts";
import type { RowKind } from "./row-kinds.ts";
import { type PlacedRow, parseRows, readRows } from "./rows.ts";

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
  if (found === "nothing")
    throw new UsageError(path, "does not exist. Give a .jsonl or .parquet file, or a folder with train.jsonl.", { path });
  const train = await splitIn(path, "train", ["train"]);
  const valid = await splitIn(path, "valid", ["validation", "valid", "val"]);
  if (train === undefined) throw new UsageError(path, "has no train.jsonl and no train.parquet. Put the rows there, one a line.", { path });
  return valid === undefined ? { train } : { train, valid };
}

/** `valid.jsonl`; else `validation.parquet` or a file as the hub's data sets name it, there or in `data`: `validation-00000-of-00001.parquet`. */
async function splitIn(folder: string, split: string, names: readonly string[]): Promise<string | undefined> {
  const lines = join(folder, `${split}.jsonl`);
  if ((await kindOfPath(lines)) === "file") return lines;
  const parquet = new RegExp(`^(?:${names.join("|")})(?:-\\d{5}-of-(\\d{5}))?(?:-[0-9a-f]{16})?\\.parquet$`, "i");
  for (const place of [folder, join(folder, "data")]) {
    const files = (await kindOfPath(place)) === "folder" ? (await readdir(place)).filter((file) => parquet.test(file)).sort() : [];
    if (files.length === 1 && Number(parquet.exec(files[0]!)?.[1] ?? 1) === 1) return join(place, files[0]!);
    if (files.length === 0) continue;
    const what = `has ${files.length} files of rows that may be meant for ${split}. Give one of them: ${files.slice(0, 6).join(", ")}`;
    throw new UsageError(place, what, { files });
  }
  return undefined;
}

/**
 * Reads a data file.
 * @throws UsageError as `readRows`, and if the file cannot be read or is not UTF-8.
 */
export async function readDataFile(path: string): Promise<DataFile> {
  if (/\.parquet$/i.test(path)) return readParquetFile(path);
  const hash = createHash("sha256");
  const rows: PlacedRow[] = [];
  for await (const row of readRows(textOf(path, hash), basename(path))) rows.push(row);
  const kind = rows[0]?.row.kind;
  if (kind === undefined) throw new UsageError(path, "has no rows.", { path });
  return { path, sha256: hash.digest("hex"), kind, rows };
}

async function readParquetFile(path: string): Promise<DataFile> {
  if ((await kindOfPath(path)) !== "file") throw new UsageError(path, "cannot be read (ENOENT).", { path, code: "ENOENT" });
  const { parquetRows } = await import("./parquet.ts");
  const rows: PlacedRow[] = [];
  for await (const row of parseRows(parquetRows(path), basename(path))) rows.push(row);
  return { path, sha256: (await hashFile(path)).sha256, kind: rows[0]!.row.kind, rows };
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
