// A folder of files, wherever it is: on a disk in Node, in memory or behind a fetch in a page. Models and adapters are read through this.
import { FormatError } from "@qlora-js/core";
import { type ByteSource, bytesSource } from "./byte-source.ts";

/** A folder of files, on a disk, in memory or behind a fetch. */
export interface Folder {
  /** Its path, or a name; errors carry it. */
  readonly name: string;
  /** Names of the files in it, not of its folders, sorted. */
  readonly files: readonly string[];
  /**
   * @throws FormatError if the file is not there or cannot be opened
   */
  open(file: string): Promise<ByteSource>;
}

/** Files in memory as a folder. */
export function memoryFolder(files: ReadonlyMap<string, Uint8Array>, name = "memory"): Folder {
  return {
    name,
    files: [...files.keys()].sort(),
    async open(file) {
      const bytes = files.get(file);
      if (!bytes) throw new FormatError(`${name}/${file}`, "there is no such file.");
      return bytesSource(bytes, `${name}/${file}`);
    },
  };
}

/** What a folder holds, for a message: up to eight names. */
export function listing(folder: Folder): string {
  const { files } = folder;
  if (files.length === 0) return "It holds no files";
  return `It holds ${files.slice(0, 8).join(", ")}${files.length > 8 ? ` and ${files.length - 8} more` : ""}`;
}
