// What MODEL names: a Hugging Face folder, or a run folder, whose manifest knows the model, and which holds the adapter that was trained.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../error.ts";
import { readManifest } from "../run/manifest.ts";
import { ADAPTER_FOLDER, isRunFolder } from "../run/run-folder.ts";
import { settleFolder } from "../safe-write.ts";
import type { FormatOptions } from "./options.ts";

export interface LocatedModel {
  /** The Hugging Face folder. */
  readonly model: string;
  /** The PEFT folder to put on it, if any. */
  readonly adapter: string | undefined;
  readonly format: FormatOptions;
}

export interface GivenModel {
  readonly adapter: string | undefined;
  readonly format: FormatOptions;
  /** Which options were given; the others are those of the run. */
  readonly given: ReadonlySet<string>;
}

/**
 * Finds model and adapter.
 * @throws UsageError if a run folder has no adapter yet
 */
export async function locateModel(path: string, { adapter, format, given }: GivenModel): Promise<LocatedModel> {
  if (!(await isRunFolder(path))) return { model: path, adapter, format };
  const { model, options } = await readManifest(path);
  const own: FormatOptions = {
    format: given.has("format") ? format.format : options.format,
    blockSize: given.has("blockSize") ? format.blockSize : options.blockSize,
    doubleQuant: given.has("doubleQuant") ? format.doubleQuant : options.doubleQuant,
  };
  return { model: model.path, adapter: adapter ?? (await adapterOfRun(path)), format: own };
}

async function adapterOfRun(run: string): Promise<string> {
  const folder = join(run, ADAPTER_FOLDER);
  await settleFolder(folder);
  try {
    await stat(folder);
    return folder;
  } catch {
    throw new UsageError(run, `has saved no adapter yet. Go on with it: qlora train --resume ${run}`, { run });
  }
}
