// What MODEL names: a Hugging Face folder, a model of a hub, or a run folder, whose manifest knows the model, and which holds the adapter that was trained.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UsageError } from "../error.ts";
import { parseHubName } from "../hub/hub-name.ts";
import { readManifest } from "../run/manifest.ts";
import { ADAPTER_FOLDER, isRunFolder } from "../run/run-folder.ts";
import { lockHolder } from "../run/run-lock.ts";
import { settleFolder } from "../safe-write.ts";
import { type HubAccess, localAdapter, localModel } from "./from-hub.ts";
import type { WeightedAdapter } from "./open-adapted.ts";
import type { FormatOptions, NamedAdapter } from "./options.ts";
import { shellWord, typedCommand } from "./typed-command.ts";

export interface LocatedModel {
  /** The Hugging Face folder. */
  readonly model: string;
  /** The PEFT folder to put on it, if any. */
  readonly adapter: string | undefined;
  /** All adapters to put on it. */
  readonly adapters: readonly WeightedAdapter[];
  readonly format: FormatOptions;
}

export interface GivenModel {
  /** One adapter, or several with weights. */
  readonly adapter: string | readonly NamedAdapter[] | undefined;
  readonly format: FormatOptions;
  /** Which options were given; the others are those of the run. */
  readonly given: ReadonlySet<string>;
  readonly hub: HubAccess;
  /** What of a model is downloaded: all of it, by default. */
  readonly wanted?: "model" | "text";
}

/**
 * Finds model and adapter.
 * @throws UsageError if a run folder has no adapter yet; HubError as `localModel`
 */
export async function locateModel(path: string, { adapter: named, format, given, hub, wanted }: GivenModel): Promise<LocatedModel> {
  const adapters = await locateAdapters(typeof named === "string" ? [{ name: named, weight: 1 }] : (named ?? []), hub);
  if (!(await isRunFolder(path)))
    return { model: (await localModel(path, hub, wanted)).path, adapter: adapters[0]?.path, adapters, format };
  const { model, options } = await readManifest(path);
  const own: FormatOptions = {
    format: given.has("format") ? format.format : options.format,
    blockSize: given.has("blockSize") ? format.blockSize : options.blockSize,
    doubleQuant: given.has("doubleQuant") ? format.doubleQuant : options.doubleQuant,
  };
  if (!parseHubName(model.path) && !(await exists(model.path))) {
    const what = `was trained on ${model.path}, which is not there any more. Give the model's folder, and ${join(path, ADAPTER_FOLDER)} as --adapter.`;
    throw new UsageError(path, what, { model: model.path });
  }
  const base = await localModel(model.path, { ...hub, revision: undefined }, wanted);
  const all = adapters.length > 0 ? adapters : [{ path: await adapterOfRun(path), weight: 1 }];
  return { model: base.path, adapter: all[0]?.path, adapters: all, format: own };
}

async function locateAdapters(named: readonly NamedAdapter[], hub: HubAccess): Promise<WeightedAdapter[]> {
  const found: WeightedAdapter[] = [];
  for (const { name, weight } of named) found.push({ path: (await localAdapter(name, hub)) as string, weight });
  return found;
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
