// Hashes of files for a run's manifest: which model and which data a run was made from. Node only; reads a file in pieces.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ByteSource } from "./byte-source.ts";
import { openFile } from "./file-source.ts";
import type { Folder } from "./folder.ts";

const PIECE = 4 << 20;

/** Which file it was, by its content. */
export interface FileHash {
  readonly file: string;
  readonly bytes: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
}

/**
 * The SHA-256 and the size of a file, read a piece at a time.
 * @throws FormatError if there is no such file
 */
export const hashFile = async (path: string): Promise<FileHash> => hashSource(await openFile(path), path);

async function hashSource(source: ByteSource, file: string): Promise<FileHash> {
  try {
    const hash = createHash("sha256");
    for (let at = 0; at < source.byteLength; at += PIECE) hash.update(await source.read(at, Math.min(PIECE, source.byteLength - at)));
    return { file, bytes: source.byteLength, sha256: hash.digest("hex") };
  } finally {
    await source.close();
  }
}

/** Hashes of files of one folder, given by its path or opened, under their names there, in the order given. */
export async function hashFiles(folder: string | Folder, files: Iterable<string>): Promise<FileHash[]> {
  const open = typeof folder === "string" ? (file: string) => openFile(join(folder, file)) : folder.open;
  const hashes: FileHash[] = [];
  for (const file of files) hashes.push(await hashSource(await open(file), file));
  return hashes;
}
