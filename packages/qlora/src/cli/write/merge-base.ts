// Which weights an adapter is added to. An adapter learnt over 4-bit weights makes up for their errors too; added to others it is a little off: on a held-out
// set of the micro model's demo the loss is 1.133 as trained, 1.133 merged into the same 4-bit weights, and 1.206 merged into the 16-bit ones.
import { dirname, resolve } from "node:path";
import { readManifest } from "../../run/manifest.ts";
import { CHECKPOINTS_FOLDER, isRunFolder } from "../../run/run-folder.ts";
import type { FormatOptions } from "../options.ts";

export const MERGE_BASES = ["trained", "16bit", "nf4", "fp4"] as const;

export interface MergeBaseOptions extends Omit<FormatOptions, "format"> {
  readonly base: (typeof MERGE_BASES)[number];
}

/**
 * The format that the base's weights go through before the adapter is added; `none` takes them as they are. Where the adapter lies in a run, what was not
 * given is the run's; an adapter from elsewhere does not say what it was trained over.
 */
export async function mergeBase(
  adapter: string,
  { base, ...choices }: MergeBaseOptions,
  given: ReadonlySet<string>,
): Promise<FormatOptions> {
  const run = await runOf(adapter);
  const trained = run === undefined ? undefined : (await readManifest(run)).options;
  const own = base === "trained" ? (trained?.format ?? "none") : base;
  return {
    format: own === "16bit" ? "none" : own,
    blockSize: trained && !given.has("blockSize") ? trained.blockSize : choices.blockSize,
    doubleQuant: trained && !given.has("doubleQuant") ? trained.doubleQuant : choices.doubleQuant,
  };
}

/** The run that has an adapter as its newest, or in a saved step. */
async function runOf(adapter: string): Promise<string | undefined> {
  const parent = dirname(resolve(adapter));
  const checkpoints = dirname(parent);
  const runs = [parent, ...(checkpoints.endsWith(CHECKPOINTS_FOLDER) ? [dirname(checkpoints)] : [])];
  for (const run of runs) if (await isRunFolder(run)) return run;
  return undefined;
}
