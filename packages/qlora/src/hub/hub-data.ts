// The files of a data set of a hub, on this machine. Node only.
import { join } from "node:path";
import type { DataPaths } from "../data/read-file.ts";
import type { Hub } from "./hub.ts";
import type { HubName } from "./hub-name.ts";
import { type HubSource, MAIN } from "./hub-source.ts";
import { type DownloadListener, hubSnapshot } from "./snapshot.ts";
import { type DataFiles, wantedData } from "./wanted-data.ts";

/** Paths of the rows, and the commit they are of. */
export interface HubDataPaths extends DataPaths {
  readonly commit: string;
}

/**
 * The rows of a data set, downloaded if the cache does not have them.
 * @throws HubError if they cannot be had; UsageError if there are none that can be read; StorageError if the cache cannot be written
 */
export async function hubData(
  hub: Hub,
  { repository, path, revision = MAIN }: HubName,
  listener: DownloadListener = {},
): Promise<HubDataPaths> {
  const source: HubSource = { kind: "dataset", repository, revision };
  let chosen: DataFiles | undefined;
  const { folder, commit } = await hubSnapshot(hub, source, {
    ...listener,
    recursive: true,
    choose: (files) => {
      chosen = wantedData(repository, files, path);
      return [...chosen.train, ...(chosen.valid ?? [])];
    },
  });
  const { train, valid } = chosen!;
  const here = (files: DataFiles["train"]) => files.map(({ path }) => join(folder, path));
  return { train: here(train), ...(valid ? { valid: here(valid) } : {}), commit };
}
