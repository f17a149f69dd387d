// A model, or an adapter, of a hub as a folder of this machine; or one file of it. Node only.
import { join } from "node:path";
import type { Hub } from "./hub.ts";
import type { HubName } from "./hub-name.ts";
import { type HubSource, MAIN } from "./hub-source.ts";
import { type DownloadListener, hubSnapshot } from "./snapshot.ts";
import { type Wanted, wantedFiles } from "./wanted-files.ts";

export interface HubModelOptions extends DownloadListener {
  /** What of it is needed; of a name with a path in it, that file is. All of a model by default. */
  readonly wanted?: "model" | "text" | "adapter";
}

/**
 * The path of a model's folder, or of the file that is named in it, downloaded if the cache does not have it.
 * @throws HubError if it cannot be had; UsageError if the repository does not hold what is wanted; StorageError if the cache cannot be written
 */
export async function hubModel(hub: Hub, { repository, path, revision = MAIN }: HubName, options: HubModelOptions = {}): Promise<string> {
  const source: HubSource = { kind: "model", repository, revision };
  const wanted: Wanted = path === undefined ? (options.wanted ?? "model") : { path };
  const { folder } = await hubSnapshot(hub, source, {
    ...options,
    recursive: path !== undefined,
    choose: (files) => wantedFiles(repository, files, wanted),
  });
  return path === undefined ? folder : join(folder, path);
}
