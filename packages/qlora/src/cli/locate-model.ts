// What MODEL names: a Hugging Face folder, or a run folder, whose manifest knows the model, and which holds the adapter that was trained.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UsageError } from "../error.ts";
import { readManifest } from "../run/manifest.ts";
import { ADAPTER_FOLDER, isRunFolder } from "../run/run-folder.ts";
import { lockHolder } from "../run/run-lock.ts";
import { settleFolder } from "../safe-write.ts";
import type { FormatOptions } from "./options.ts";
import { shellWord, typedCommand } from "./typed-command.ts";

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
  if (!(await exists(model.path))) {
    const what = `was trained on ${model.path}, which is not there any more. Give the model's folder, and ${join(path, ADAPTER_FOLDER)} as --adapter.`;
    throw new UsageError(path, what, { model: model.path });
  }
  return { model: model.path, adapter: adapter ?? (await adapterOfRun(path)), format: own };
}

/** An adapter that is being replaced is back within this time. */
const REPLACED_MS = 1000;

async function adapterOfRun(run: string): Promise<string> {
  const folder = join(run, ADAPTER_FOLDER);
  const running = await lockHolder(run);
  // what a killed process left is put in order, but not under the hands of one that is writing
  if (!running) await settleFolder(folder);
  else if (!(await exists(folder))) await wait(REPLACED_MS);
  if (await exists(folder)) return folder;
  const advice = running
    ? `It is being written by process ${running.pid}; wait for its first.`
    : `Go on with it: ${typedCommand()} train --resume ${shellWord(run)}`;
  throw new UsageError(run, `has saved no adapter yet. ${advice}`, { run });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
