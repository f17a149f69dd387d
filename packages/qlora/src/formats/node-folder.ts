// A folder on a disk, or one GGUF file, with the other parts of its model, as a folder. Node only.
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../error.ts";
import { openFile } from "./file-source.ts";
import type { Folder } from "./folder.ts";
import { ggufPartNames } from "./gguf/gguf-part-names.ts";

/**
 * A folder of this machine, or a GGUF file as the folder of its parts.
 * @param path of a folder; or of a GGUF file, which is then all that the folder holds, with the files that its model was cut into
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
    if (code === "ENOTDIR" && /\.gguf$/i.test(path)) return folderOfModel(path);
    const what =
      code === "ENOENT"
        ? "there is no such folder."
        : code === "ENOTDIR"
          ? "is a file, not a folder. Give the folder it is in."
          : "cannot be read.";
    throw new UsageError(path, what, { code }, { cause: error });
  }
}

async function folderOfModel(path: string): Promise<Folder> {
  const parts = ggufPartNames(basename(path));
  const there = parts && new Set(await readdir(dirname(path)));
  const files = parts?.filter((part) => there?.has(part)) ?? [basename(path)];
  return { name: path, files, open: (file) => openFile(join(dirname(path), file)) };
}
