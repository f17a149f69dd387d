// Who is writing to a run folder: a lock in it, so that two processes never write one run. Node only.
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { RunInUseError } from "../error.ts";
import { type LockHolder, lockHolderOf, ProcessLock } from "../process-lock.ts";
import { LOCK_FILE } from "./run-folder.ts";

/** A process that was killed just now may take so long to be gone, with all its memory. */
const DYING_MS = 1000;
const PAUSE_MS = 100;

/** The right to write to a run folder. */
export class RunLock {
  private constructor(readonly lock: ProcessLock) {}

  /**
   * Takes the lock of a folder that is there.
   * @throws RunInUseError if another process has it, StorageError if it cannot be written
   */
  static async take(run: string): Promise<RunLock> {
    for (let waited = 0; ; waited += PAUSE_MS) {
      const taken = await ProcessLock.take(join(run, LOCK_FILE));
      if (taken instanceof ProcessLock) return new RunLock(taken);
      if (waited >= DYING_MS || taken.host !== hostname()) throw inUse(run, taken);
      await wait(PAUSE_MS);
    }
  }

  /** Gives it back. A lock that is not this one any more stays. */
  release(): Promise<void> {
    return this.lock.release();
  }
}

/** The process that is writing to a run folder, if there is one. */
export const lockHolder = (run: string): Promise<LockHolder | undefined> => lockHolderOf(join(run, LOCK_FILE));

function inUse(run: string, { pid, host, since }: LockHolder): RunInUseError {
  const here = host === hostname();
  const who = here ? `process ${pid}` : `process ${pid} on ${host}`;
  const advice = `Wait for it or stop it first; if there is no such process any more, delete ${join(run, LOCK_FILE)}.`;
  return new RunInUseError(run, pid, host, `is being written by ${who}, since ${since}. ${advice}`);
}
