// What the user names, on this machine: a path that is there wins; what is none is looked for on a hub, if it can be a name there; and what is neither is
// an error that says both.
import { stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { type DataPaths, findData } from "../data/read-file.ts";
import { HubError, UsageError } from "../error.ts";
import { openHub } from "../hub/hub.ts";
import { hubData } from "../hub/hub-data.ts";
import { hubModel } from "../hub/hub-model.ts";
import { type HubName, hubNameText, parseHubName } from "../hub/hub-name.ts";
import { modelOfSnapshot } from "../hub/hub-source.ts";
import { DownloadProgress } from "./download-progress.ts";
import type { Output } from "./output.ts";

/** How a hub may be asked, and where it is told. */
export interface HubAccess {
  /** Of the model; see `--revision`. */
  readonly revision?: string | undefined;
  readonly offline?: boolean | undefined;
  readonly output: Output;
}

export interface LocalModel {
  /** A folder, or a file. */
  readonly path: string;
  /** Of a model of a hub. */
  readonly commit: string | undefined;
  /** What finds it again: the whole path, or `org/name@commit`. */
  readonly name: string;
}

/**
 * A model.
 * @param wanted what of it is downloaded
 * @throws HubError, UsageError, StorageError as `hubModel`
 */
export async function localModel(given: string, access: HubAccess, wanted: "model" | "text" | "adapter" = "model"): Promise<LocalModel> {
  const name = await nameOnHub(given, wanted === "adapter" ? "an adapter's folder or its name" : "a model's folder or its name");
  const { revision } = access;
  if (!name) {
    if (revision === undefined) return { path: given, commit: undefined, name: resolve(given) };
    throw new UsageError("--revision", `is ${revision}, and ${given} is a path of this machine. Leave it out.`, { revision });
  }
  if (revision !== undefined && name.revision !== undefined && name.revision !== revision)
    throw new UsageError("--revision", `is ${revision}, and ${given} says another. Give one.`, { revision });
  const asked = { ...name, revision: name.revision ?? revision };
  const path = await orNeither(
    given,
    openHub(access).then((hub) => hubModel(hub, asked, { ...new DownloadProgress(access.output), wanted })),
  );
  const commit = modelOfSnapshot(path)?.commit;
  return { path, commit, name: commit === undefined ? path : hubNameText({ ...name, revision: commit }) };
}

/**
 * The folder of an adapter.
 * @throws HubError, UsageError as `localModel`
 */
export const localAdapter = async (given: string, { output, offline }: HubAccess): Promise<string> =>
  (await localModel(given, { output, offline }, "adapter")).path;

export interface LocalData extends DataPaths {
  /** What finds it again: the whole path, or `org/name@commit`. */
  readonly name: string;
}

/**
 * The files of a data set.
 * @throws HubError, UsageError, StorageError as `hubData` and `findData`
 */
export async function localData(given: string, access: Omit<HubAccess, "revision">): Promise<LocalData> {
  const name = await nameOnHub(given, "a .jsonl or .parquet file, a folder with train.jsonl, or a data set's name");
  if (!name) return { ...(await findData(given)), name: resolve(given) };
  const { commit, ...paths } = await orNeither(
    given,
    openHub(access).then((hub) => hubData(hub, name, new DownloadProgress(access.output))),
  );
  return { ...paths, name: hubNameText({ ...name, revision: commit }) };
}

/**
 * What a text names on a hub, where it names nothing here; undefined where it does.
 * @throws UsageError if it is neither
 */
async function nameOnHub(given: string, wanted: string): Promise<HubName | undefined> {
  const isHere = await stat(given).then(
    () => true,
    () => false,
  );
  if (isHere) return undefined;
  const name = parseHubName(given);
  if (name) return name;
  const isPath = isAbsolute(given) || /^\.{0,2}[\\/]/.test(given);
  const neither = isPath ? "." : " here, and it is no name on a hub, which is org/name.";
  throw new UsageError(given, `there is no such file or folder${neither} Give ${wanted}.`, { path: given });
}

const NOTHING_THERE: ReadonlySet<HubError["problem"]> = new Set(["absent", "offline", "unreachable"]);

/** Where a hub has nothing of that name, the user may have meant a path. */
async function orNeither<T>(given: string, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof HubError) || !NOTHING_THERE.has(error.problem)) throw error;
    const what = error.message.slice(error.where.length + 2);
    throw new HubError(given, error.problem, `there is no such file or folder here, and ${what}`, error.fields, { cause: error });
  }
}
