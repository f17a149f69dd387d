// Where things are in a run folder. No reading or writing of them here.
//
//   manifest.json                what the run was made from, and with which options
//   metrics.jsonl, metrics.csv   one line a step and a line an evaluation
//   adapter/                     the newest adapter, a PEFT folder
//   checkpoints/step-000020/     a saved step: adapter/, and state/ with the optimizer's moments; the two newest stay
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { StorageError, UsageError } from "../error.ts";

export const MANIFEST = "manifest.json";
export const METRICS_JSONL = "metrics.jsonl";
export const METRICS_CSV = "metrics.csv";
export const ADAPTER_FOLDER = "adapter";
export const CHECKPOINTS_FOLDER = "checkpoints";

/** Whether a path is a run folder: whether it has a manifest. */
export async function isRunFolder(path: string): Promise<boolean> {
  try {
    return (await stat(join(path, MANIFEST))).isFile();
  } catch {
    return false;
  }
}

/**
 * Makes the folder of a new run.
 * @throws UsageError if there is something in it already
 * @throws StorageError if it cannot be made
 */
export async function createRunFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new StorageError(path, code, `the run folder cannot be made (${message}). Choose another with --out.`, { cause });
  }
  const found = await readdir(path);
  if (found.length === 0) return;
  const advice = found.includes(MANIFEST)
    ? `is a run already. Go on with it by --resume ${path}, or choose another --out.`
    : "is not empty. Choose another folder for the run.";
  throw new UsageError("--out", `${path} ${advice}`, { path });
}

/** A folder for a run that was given none: `runs/2026-11-24-1`, the first number that is free. */
export async function freeRunFolder(parent: string, now: Date): Promise<string> {
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  const taken = new Set(await readdir(parent).catch(() => []));
  for (let n = 1; ; n++) if (!taken.has(`${day}-${n}`)) return join(parent, `${day}-${n}`);
}
