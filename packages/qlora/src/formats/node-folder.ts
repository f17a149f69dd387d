// A folder on a disk. Node only.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../error.ts";
import { openFile } from "./file-source.ts";
import type { Folder } from "./folder.ts";

/**
 * @throws UsageError if there is no such folder, or it may not be read
 */
export async function openFolder(path: string): Promise<Folder> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    // Download caches are made of symbolic links; one that leads nowhere is found out when it is opened.
    const files = entries.filter((e) => e.isFile() || e.isSymbolicLink()).map((e) => e.name);
    return { name: path, files: files.sort(), open: (file) => openFile(join(path, file)) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what =
      code === "ENOENT"
        ? "there is no such folder."
        : code === "ENOTDIR"
          ? "is a file, not a folder. Give the folder it is in."
          : "cannot be read.";
    throw new UsageError(path, what, { code }, { cause: error });
  }
}
