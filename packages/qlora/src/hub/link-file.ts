// A name in a snapshot for a content of the cache: a symbolic link, relative so that the cache may be moved; where there can be none (Windows without the
// right to), a hard link, or a copy. The name is right at once or not there. Node only.
import { randomBytes } from "node:crypto";
import { copyFile, link, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { storageError } from "../safe-write.ts";

/**
 * @param symlinks false where symbolic links are not wanted
 * @throws StorageError if it can be neither linked nor copied
 */
export async function linkFile(blob: string, path: string, symlinks: boolean): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await makeLink(blob, temporary, symlinks);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw storageError(path, cause);
  }
}

async function makeLink(blob: string, path: string, symlinks: boolean): Promise<void> {
  const ways = [
    ...(symlinks ? [() => symlink(relative(dirname(path), blob), path)] : []),
    () => link(blob, path),
    () => copyFile(blob, path),
  ];
  for (const [i, way] of ways.entries()) {
    try {
      return await way();
    } catch (error) {
      if (i === ways.length - 1) throw error;
    }
  }
}
