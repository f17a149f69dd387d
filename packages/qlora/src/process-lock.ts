// Who is working on something: a file with the process, when it started, and its machine. Two processes never hold one lock, and the lock of a process
// that was killed is known for what it is: its number is free again, or belongs to a process that started at another time. Node only.
import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { storageError } from "./safe-write.ts";

const schema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Tells a process from a later one of the same number; null where the system does not say. */
  started: z.string().nullable(),
  since: z.string(),
});

/** The process that holds a lock. */
export type LockHolder = z.infer<typeof schema>;

/** A lock that is being written is whole after this time. */
const SETTLE_MS = 100;

/** The right to do something that one process does at a time. */
export class ProcessLock {
  private constructor(
    readonly path: string,
    readonly content: string,
  ) {}

  /**
   * Takes a lock in a folder that is there, if it is free or its process is gone; or says who holds it.
   * @throws StorageError if it cannot be written
   */
  static async take(path: string): Promise<ProcessLock | LockHolder> {
    const own: LockHolder = {
      pid: process.pid,
      host: hostname(),
      started: await startOf(process.pid),
      since: new Date().toISOString(),
    };
    const content = `${JSON.stringify(own)}\n`;
    for (;;) {
      if (await create(path, content)) return new ProcessLock(path, content);
      const found = await read(path);
      if (!found) continue;
      if (found.holder && (await isAlive(found.holder))) return found.holder;
      await removeStale(path, found.text);
    }
  }

  /** Gives it back. A lock that is not this one any more stays. */
  async release(): Promise<void> {
    const text = await readFile(this.path, "utf8").catch(() => "");
    if (text === this.content) await rm(this.path, { force: true });
  }
}

/** The process that holds a lock, if there is one. */
export async function lockHolderOf(path: string): Promise<LockHolder | undefined> {
  const found = await read(path);
  return found?.holder && (await isAlive(found.holder)) ? found.holder : undefined;
}

/** False if there is a lock already. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    // a disk without room takes the name and not the content
    const left = await readFile(path, "utf8").catch(() => undefined);
    if (left !== undefined && content.startsWith(left)) await rm(path, { force: true });
    throw storageError(path, cause);
  }
}

/** Text and holder of a lock; undefined if there is none, no holder if it says nothing that can be read. */
async function read(path: string): Promise<{ readonly text: string; readonly holder: LockHolder | undefined } | undefined> {
  for (let last = false; ; last = true) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const holder = parse(text);
    if (holder || last) return { text, holder };
    await pause(); // its process may be writing it at this moment
  }
}

async function pause(): Promise<number> {
  await wait(SETTLE_MS);
  return SETTLE_MS;
}

function parse(text: string): LockHolder | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isAlive(holder: LockHolder): Promise<boolean> {
  if (holder.host !== hostname()) return true; // nobody here can tell
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const started = await startOf(holder.pid);
  if (started === ENDED) return false;
  return holder.started === null || started === null || holder.started === started;
}

/**
 * Takes away a lock whose process is gone. Two processes may see it at one time, and the second must not take away the lock that the first has made since:
 * what was taken away is looked at, and put back if it is another.
 */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await rename(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw storageError(path, cause);
  }
  const same = (await readFile(aside, "utf8").catch(() => text)) === text;
  if (!same) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** A process that has ended, whose parent has not asked how. */
const ENDED = "ended";

/** What tells a process from a later one of the same number: Linux counts ticks from the start of the system (proc(5): stat, field 22). */
async function startOf(pid: number): Promise<string | null> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile("/proc/sys/kernel/random/boot_id", "utf8")]);
    // the name before the last bracket may hold anything; the state after it is field 3
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields[19];
    if (fields[0] === "Z" || fields[0] === "X") return ENDED;
    return ticks === undefined ? null : `${boot.trim()} ${ticks}`;
  } catch {
    return null;
  }
}
