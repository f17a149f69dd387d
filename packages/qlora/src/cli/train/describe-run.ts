// A run's manifest as it is now: hashes of the files it is made from, versions, backend, options.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CONFIG_FILE } from "../../config/config-of-family.ts";
import { textFileNames } from "../../config/hf-folder.ts";
import type { DataFile } from "../../data/read-file.ts";
import { hashFiles } from "../../formats/file-hash.ts";
import { ggufOf } from "../../formats/gguf/gguf-of-folder.ts";
import { MLX_WEIGHTS } from "../../formats/mlx-adapter.ts";
import type { ModelFiles } from "../../formats/model-files.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { ADAPTER_CONFIG } from "../../formats/peft-config.ts";
import { ADAPTER_WEIGHTS } from "../../formats/peft-keys.ts";
import type { Manifest, RunOptions } from "../../run/manifest.ts";
import type { ModelFolder } from "../open-model.ts";
import { qloraVersion } from "../version.ts";

export interface RunSources {
  /** What finds the model again: its whole path, or `org/name@commit`. */
  readonly model: string;
  readonly folder: ModelFolder;
  readonly files: ModelFiles;
  /** What finds the data again. */
  readonly data: string;
  readonly train: DataFile;
  readonly valid: DataFile | undefined;
  /** The adapter the run starts from. */
  readonly adapter: string | undefined;
  readonly options: RunOptions;
}

/** Everything but the backend, which is not open yet. Reads all files of the model. */
export async function describeRun(sources: RunSources, now: Date): Promise<Omit<Manifest, "backend">> {
  const { model, folder, files, data, train, valid, adapter, options } = sources;
  const besides = ggufOf(folder.folder) === undefined ? [CONFIG_FILE, ...textFileNames(folder.folder)] : [];
  return {
    kind: "qlora run",
    created: now.toISOString(),
    versions: { "qlora-js": qloraVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
    model: { path: model, files: await hashFiles(folder.folder, [...besides, ...files.files]) },
    data: { path: data, train: await hashedData(train), valid: valid ? await hashedData(valid) : null },
    adapter:
      adapter === undefined
        ? null
        : {
            path: resolve(adapter),
            files: await hashFiles(adapter, [
              ADAPTER_CONFIG,
              (await openFolder(adapter)).files.includes(MLX_WEIGHTS) ? MLX_WEIGHTS : ADAPTER_WEIGHTS,
            ]),
          },
    options,
  };
}

async function hashedData({ paths, sha256 }: DataFile): Promise<Manifest["data"]["train"]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { file: resolve(paths[0]!), bytes, sha256, ...(paths.length > 1 ? { files: paths.length } : {}) };
}
