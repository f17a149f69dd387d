// What the cache has of a repository, without asking a hub: the commit a revision was at, and the files of its snapshot, whoever downloaded them. Node only.
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileSize } from "./file-size.ts";
import type { Hub } from "./hub.ts";
import { cachePlaces, type HubSource, isCommit } from "./hub-source.ts";
import type { Listing } from "./list-repository.ts";

/** The snapshot of a revision; undefined if there is none. Links that lead nowhere are no files. */
export async function cachedFiles(hub: Hub, source: HubSource): Promise<Listing | undefined> {
  const places = cachePlaces(hub, source);
  const commit = isCommit(source.revision) ? source.revision : (await readFile(places.ref, "utf8").catch(() => "")).trim();
  if (!isCommit(commit)) return undefined;
  const folder = places.snapshot(commit);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files: Listing["files"][number][] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const size = await fileSize(path);
    if (size !== undefined) files.push({ path: relative(folder, path).split(sep).join("/"), size, id: "" });
  }
  return files.length === 0 ? undefined : { commit, files };
}
