// A model with adapters on it, each with its weight, for commands that compute and do not train.
import { UsageError } from "../error.ts";
import { storedFormat } from "../formats/bitsandbytes/stored-format.ts";
import { openFolder } from "../formats/node-folder.ts";
import { openAdapter } from "../formats/open-adapter.ts";
import { residualStart, type WeightStart } from "../lora/weight-start.ts";
import { chooseAdapters } from "../lora/with-adapters.ts";
import type { ModelFolder } from "./open-model.ts";
import { Session, type SessionOptions } from "./open-session.ts";

/** An adapter's folder, and how much of it. */
export interface WeightedAdapter {
  readonly path: string;
  readonly weight: number;
}

/**
 * Opens a model and puts adapters on it.
 * @throws FormatError, UsageError, AdapterMismatchError as `Session.open`, `Session.adapt` and `chooseAdapters`
 */
export async function openAdapted(folder: ModelFolder, options: SessionOptions, adapters: readonly WeightedAdapter[]): Promise<Session> {
  const start = await startOf(folder, adapters);
  const session = await Session.open(folder, { ...options, start });
  try {
    const chosen = [];
    for (const { path, weight } of adapters) chosen.push({ adapter: await session.adapt(path, { taken: start !== undefined }), weight });
    chooseAdapters(session.model, chosen);
    return session;
  } catch (error) {
    session.close();
    if (error instanceof UsageError && error.where === "adapter")
      throw new UsageError("--adapter", error.message.slice("adapter: ".length), error.fields, { cause: error });
    throw error;
  }
}

/** One adapter alone that began with a part of the weights is computed as it was trained, over weights without that part. */
async function startOf(folder: ModelFolder, adapters: readonly WeightedAdapter[]): Promise<WeightStart | undefined> {
  const [only] = adapters;
  if (adapters.length !== 1 || only?.weight !== 1 || (await storedFormat(folder.folder, folder.config))) return undefined;
  const stored = await openAdapter(await openFolder(only.path), folder.config);
  try {
    return stored.residual ? await residualStart(stored) : undefined;
  } finally {
    await stored.close();
  }
}

/** `A + 0.5·B`, for people. */
export const adapterWords = (adapters: readonly WeightedAdapter[]): string =>
  adapters.map(({ path, weight }) => (weight === 1 ? path : `${weight}·${path}`)).join(" + ");
