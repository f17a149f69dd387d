// Hashes of files for a run's manifest: which model and which data a run was made from. Node only; reads a file in pieces.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openFile } from "./file-source.ts";

const PIECE = 4 << 20;

export interface FileHash {
  readonly file: string;
  readonly bytes: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
}

/** @throws FormatError if there is no such file */
export async function hashFile(path: string): Promise<FileHash> {
  const source = await openFile(path);
  try {
    const hash = createHash("sha256");
    for (let at = 0; at < source.byteLength; at += PIECE) hash.update(await source.read(at, Math.min(PIECE, source.byteLength - at)));
    return { file: path, bytes: source.byteLength, sha256: hash.digest("hex") };
  } finally {
    await source.close();
  }
}

/** Hashes of files of one folder, under their names there, in the order given. */
export async function hashFiles(folder: string, files: Iterable<string>): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const file of files) hashes.push({ ...(await hashFile(join(folder, file))), file });
  return hashes;
}
