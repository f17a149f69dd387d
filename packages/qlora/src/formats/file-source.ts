// A file as a byte source. Node only. Nothing is read before it is asked for, and only what is asked for.
import { type FileHandle, open, stat } from "node:fs/promises";
import { FormatError } from "@qlora-js/core";
import { type ByteSource, checkRange } from "./byte-source.ts";

/** The system reads at most 2 GiB at a time. */
const LARGEST_READ = 1 << 30;

/**
 * Opens a file to read at any place.
 * @throws FormatError if there is no such file, it may not be read, or it is not an ordinary file (a pipe would wait for ever)
 */
export async function openFile(path: string): Promise<ByteSource> {
  const handle = await openOrdinary(path);
  const { size } = await handle.stat();
  const source = {
    name: path,
    byteLength: size,
    async read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>) {
      checkRange(source, offset, length);
      const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
      await fill(path, handle, bytes, offset);
      return bytes;
    },
    close: () => handle.close(),
  };
  return source;
}

async function openOrdinary(path: string): Promise<FileHandle> {
  try {
    if (!(await stat(path)).isFile()) throw new FormatError(path, "is not an ordinary file.");
    return await open(path, "r");
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const what =
      code === "ENOENT"
        ? "there is no such file."
        : code === "EACCES"
          ? "may not be read. Check its permissions."
          : `cannot be opened (${code}).`;
    throw new FormatError(path, what, { cause: error });
  }
}

async function fill(path: string, handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, LARGEST_READ), offset + at);
    if (bytesRead === 0)
      throw new FormatError(path, `ended at byte ${offset + at} of ${offset + bytes.length}. It was changed while it was read.`);
    at += bytesRead;
  }
}
