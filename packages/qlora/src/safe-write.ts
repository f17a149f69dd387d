// Writing so that a reader, or a crash at any moment, sees the old content or the new, never a part: everything goes to a temporary name beside
// its place, is flushed to the disk, and is renamed. Node only.
import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { StorageError } from "./error.ts";

/** What a file is made of, in order. */
export type Content = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Writes a file and puts it in its place at once. Folders above it are made.
 * @throws StorageError if it cannot be written; an older file of that name is then as it was
 */
export async function writeFileSafely(path: string, content: Content): Promise<void> {
  const target = resolve(path);
  await guarded(path, () => makeFolders(dirname(target)));
  const temporary = temporaryFor(target);
  try {
    await writeFlushed(path, temporary, content);
    await guarded(path, () => rename(temporary, target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(dirname(target));
}

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary folder, which then takes the place of `path`. An older folder there is
 * moved aside, and removed once the new one stands; see `settleFolder` for what a crash between the two leaves.
 * @throws StorageError if it cannot be written; an older folder is then as it was
 */
export async function writeFolderSafely(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  await guarded(path, () => makeFolders(dirname(target)));
  await settleFolder(target);
  const temporary = temporaryFor(target);
  try {
    await guarded(path, () => mkdir(temporary));
    await filled(path, temporary, fill);
    await flushFolder(temporary);
    await guarded(path, () => swap(temporary, target));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await flushFolder(dirname(target));
}

/**
 * Brings a folder that `writeFolderSafely` was replacing when it was killed into order: the older one goes back to its place if the new one
 * had not taken it. Call it before reading such a folder; it does nothing otherwise.
 */
export async function settleFolder(path: string): Promise<void> {
  const target = resolve(path);
  const previous = previousOf(target);
  if (!(await exists(previous))) return;
  await guarded(path, async () => {
    if (await exists(target)) await rm(previous, { recursive: true, force: true });
    else await rename(previous, target);
  });
}

/**
 * Makes a folder and those above it. One by one, because Node's own `recursive` never comes back from a place that cannot hold folders, such as /proc.
 * @throws the file system's error if one cannot be made
 */
export async function makeFolders(path: string): Promise<void> {
  const target = resolve(path);
  if (await isFolder(target)) return;
  const parent = dirname(target);
  if (parent !== target) await makeFolders(parent);
  try {
    await mkdir(target);
  } catch (error) {
    if (!(await isFolder(target))) throw error; // another process may have made it meanwhile
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Removes what killed writers left in a folder. Only for a folder that no one else is writing to. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (TEMPORARY.test(name)) await rm(join(folder, name), { recursive: true, force: true });
}

const previousOf = (target: string): string => join(dirname(target), `.${basename(target)}.previous`);
const temporaryFor = (target: string): string => join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);

/** Errors name the place that was asked for, not the temporary one. */
async function filled(path: string, temporary: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  try {
    await fill(temporary);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw storageError(join(path, relative(temporary, error.path)), error.cause);
  }
}

async function swap(temporary: string, target: string): Promise<void> {
  if (!(await exists(target))) return rename(temporary, target);
  const previous = previousOf(target);
  await rename(target, previous);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(previous, target);
    throw error;
  }
  await flushFolder(dirname(target));
  await rm(previous, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function writeFlushed(path: string, temporary: string, content: Content): Promise<void> {
  const handle = await guarded(path, () => open(temporary, "wx"));
  try {
    for await (const chunk of chunksOf(content)) await guarded(path, () => writeAll(handle, chunk));
    await guarded(path, () => handle.sync());
  } finally {
    await handle.close();
  }
}

function chunksOf(content: Content): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await handle.write(bytes, at, Math.min(bytes.byteLength - at, 1 << 30))).bytesWritten;
}

/** A rename is on the disk when its folder is. Where folders cannot be flushed (Windows), the system orders renames itself. */
async function flushFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    return;
  }
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(path, error);
  }
}

/** What a failed call of the file system is to the user: the path, the code, and what to do. */
export function storageError(path: string, cause: unknown): StorageError {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return new StorageError(path, code, adviceFor(code, message), { cause });
}

function adviceFor(code: string, message: string): string {
  const kept = "What was saved before is unharmed.";
  if (code === "ENOSPC" || code === "EDQUOT") return `there is no space left to write it. Free some, or write to another disk. ${kept}`;
  if (code === "EFBIG") return `it is larger than this system allows a file to be. ${kept}`;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return `may not be written. Check its permissions, or write elsewhere. ${kept}`;
  return `could not be written (${message}). ${kept}`;
}
