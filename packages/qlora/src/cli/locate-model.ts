// What MODEL names: a Hugging Face folder, a model of a hub, or a run folder, whose manifest knows the model, and which holds the adapter that was trained.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../error.ts";
import { parseHubName } from "../hub/hub-name.ts";
import { readManifest } from "../run/manifest.ts";
import { ADAPTER_FOLDER, isRunFolder } from "../run/run-folder.ts";
import { type HubAccess, localModel } from "./from-hub.ts";
import { adapterOfRun, locateAdapter } from "./locate-adapter.ts";
import type { WeightedAdapter } from "./open-adapted.ts";
import type { FormatOptions, NamedAdapter } from "./options.ts";

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
  if (!parseHubName(model.path) && !existsSync(model.path)) {
    const what = `was trained on ${model.path}, which is not there any more. Give the model's folder, and ${join(path, ADAPTER_FOLDER)} as --adapter.`;
    throw new UsageError(path, what, { model: model.path });
  }
  const base = await localModel(model.path, { ...hub, revision: undefined }, wanted);
  const all = adapters.length > 0 ? adapters : [{ path: await adapterOfRun(path), weight: 1 }];
  return { model: base.path, adapter: all[0]?.path, adapters: all, format: own };
}

async function locateAdapters(named: readonly NamedAdapter[], hub: HubAccess): Promise<WeightedAdapter[]> {
  const found: WeightedAdapter[] = [];
  for (const { name, weight } of named) found.push({ path: await locateAdapter(name, hub), weight });
  return found;
}
