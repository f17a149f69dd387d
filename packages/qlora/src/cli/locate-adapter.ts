// What --adapter names: a PEFT or MLX folder, an adapter on a hub, or a run folder, which stands for the adapter that it has saved.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UsageError } from "../error.ts";
import { ADAPTER_FOLDER, isRunFolder } from "../run/run-folder.ts";
import { lockHolder } from "../run/run-lock.ts";
import { settleFolder } from "../safe-write.ts";
import { type HubAccess, localAdapter } from "./from-hub.ts";
import { shellWord, typedCommand } from "./typed-command.ts";

/**
 * The folder of an adapter.
 * @throws UsageError if a run folder has no adapter yet; HubError as `localAdapter`
 */
export const locateAdapter = async (given: string, hub: HubAccess): Promise<string> =>
  (await isRunFolder(given)) ? adapterOfRun(given) : localAdapter(given, hub);

/** An adapter that is being replaced is back within this time. */
const REPLACED_MS = 1000;

/**
 * The adapter that a run has saved last.
 * @throws UsageError if it has saved none yet
 */
export async function adapterOfRun(run: string): Promise<string> {
  const folder = join(run, ADAPTER_FOLDER);
  const running = await lockHolder(run);
  // what a killed process left is put in order, but not under the hands of one that is writing
  if (!running) await settleFolder(folder);
  else if (!existsSync(folder)) await wait(REPLACED_MS);
  if (existsSync(folder)) return folder;
  const advice = running
    ? `It is being written by process ${running.pid}; wait for its first.`
    : `Go on with it: ${typedCommand()} train --resume ${shellWord(run)}`;
  throw new UsageError(run, `has saved no adapter yet. ${advice}`, { run });
}
