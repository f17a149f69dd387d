// Whether something may be written where the user says: never over what is there.
import { readdir, stat } from "node:fs/promises";
import { UsageError } from "../../error.ts";

/**
 * @param kind what is to be written; an empty folder may become one
 * @throws UsageError if the option is missing, or there is something at the path
 */
export async function freePath(path: string | undefined, kind: "file" | "folder"): Promise<string> {
  if (path === undefined) throw new UsageError("--to", `is missing. Give the ${kind} to write.`, {});
  const there = await stat(path).catch(() => undefined);
  if (!there) return path;
  const folder = there.isDirectory();
  if (folder && kind === "folder" && (await readdir(path)).length === 0) return path;
  const what = folder
    ? `${path} is a folder${kind === "file" ? ", and a file is to be written" : " that is not empty"}.`
    : `${path} is there already.`;
  throw new UsageError("--to", `${what} Nothing is overwritten: give another path.`, { path });
}
