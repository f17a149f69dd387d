// Where things are in a run folder. No reading or writing of them here.
//
//   .lock                        while a process writes to it: which one (run-lock.ts)
//   manifest.json                what the run was made from, and with which options
//   metrics.jsonl, metrics.csv   one line a step and a line an evaluation
//   adapter/                     the newest adapter, a PEFT folder
//   checkpoints/step-000020/     a saved step: adapter/, and state/ with the optimizer's moments; the two newest stay
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { StorageError, UsageError } from "../error.ts";
import { makeFolders } from "../safe-write.ts";

export const MANIFEST = "manifest.json";
export const METRICS_JSONL = "metrics.jsonl";
export const METRICS_CSV = "metrics.csv";
export const ADAPTER_FOLDER = "adapter";
export const CHECKPOINTS_FOLDER = "checkpoints";
export const LOCK_FILE = ".lock";

/** Whether a path is a run folder: whether it has a manifest. */
export async function isRunFolder(path: string): Promise<boolean> {
  try {
    return (await stat(join(path, MANIFEST))).isFile();
  } catch {
    return false;
  }
}

/**
 * Sees whether a new run may go into a folder: it is not there, or has nothing in it but a lock.
 * @throws UsageError if there is something in it, or it is no folder
 */
export async function checkRunFolder(path: string): Promise<void> {
  const found: readonly string[] = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR")
      throw new UsageError("--out", `${path} is a file, or lies below one. Give a folder for the run.`, { path });
    return []; // it is not there, or making it will tell why not
  });
  if (found.every((name) => name === LOCK_FILE)) return;
  const advice = found.includes(MANIFEST)
    ? `is a run already. Go on with it by --resume ${path}, or choose another --out.`
    : "is not empty. Choose another folder for the run.";
  throw new UsageError("--out", `${path} ${advice}`, { path });
}

/**
 * Makes the folder of a new run.
 * @throws StorageError if it cannot be made
 */
export async function createRunFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new StorageError(path, code, `the run folder cannot be made (${message}). Choose another with --out.`, { cause });
  }
}

/** A folder for a run that was given none: `runs/2026-11-24-1`, the first number that is free. */
export async function freeRunFolder(parent: string, now: Date): Promise<string> {
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  const taken = new Set(await readdir(parent).catch(() => []));
  for (let n = 1; ; n++) if (!taken.has(`${day}-${n}`)) return join(parent, `${day}-${n}`);
}
