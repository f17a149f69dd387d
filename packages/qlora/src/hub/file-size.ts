// The size of what a path leads to, links followed; undefined if there is nothing. Node only.
import { stat } from "node:fs/promises";

export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}
