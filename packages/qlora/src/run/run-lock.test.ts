import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunInUseError, StorageError } from "../error.ts";
import type { LockHolder } from "../process-lock.ts";
import { lockHolder, RunLock } from "./run-lock.ts";

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), "qlora-lock-"));
});
afterEach(() => rm(run, { recursive: true }));
const lockFile = () => join(run, ".lock");
const held = async (): Promise<LockHolder> => JSON.parse(await readFile(lockFile(), "utf8")) as LockHolder;
const write = (holder: Partial<LockHolder>) =>
  writeFile(
    lockFile(),
    JSON.stringify({ pid: process.pid, host: hostname(), started: null, since: "2026-01-01T00:00:00.000Z", ...holder }),
  );

/** The number of a process that was there and is gone. */
async function gone(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid!;
}

describe("the lock of a run folder", () => {
  it("is one process's at a time, and anyone's again afterwards", async () => {
    const lock = await RunLock.take(run);
    expect(await lockHolder(run)).toMatchObject({ pid: process.pid });
    const second = RunLock.take(run);
    await expect(second).rejects.toThrow(RunInUseError);
    await expect(second).rejects.toMatchObject({ pid: process.pid, host: hostname(), where: run });
    await expect(second).rejects.toThrow(/is being written by process \d+, since .*\.lock/);
    await lock.release();
    expect(await readdir(run)).toEqual([]);
    expect(await lockHolder(run)).toBeUndefined();
    await (await RunLock.take(run)).release();
  });

  it("goes to one of many that ask at the same time, also where all see that of a process that is gone", async () => {
    await write({ pid: await gone() });
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.take(run)));
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of asked) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(RunInUseError);
    expect(await readdir(run)).toEqual([".lock"]);
  });

  it("is stale when its process is gone", async () => {
    await write({ pid: await gone() });
    expect(await lockHolder(run)).toBeUndefined();
    await RunLock.take(run);
    expect((await held()).pid).toBe(process.pid);
  });

  it.skipIf(process.platform !== "linux")(
    "is stale when its number has gone to another process (Linux tells when one started)",
    async () => {
      await write({ started: "another start of the system 42" });
      expect(await lockHolder(run)).toBeUndefined();
      await RunLock.take(run);
      expect((await held()).started).not.toBe("another start of the system 42");
    },
  );

  it.skipIf(process.platform !== "linux")(
    "is stale when its process has ended and its parent has not asked how (Linux tells)",
    async () => {
      const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"]);
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      await write({ pid: Number(String(printed)) });
      try {
        await RunLock.take(run);
        expect((await held()).pid).toBe(process.pid);
      } finally {
        parent.kill();
      }
    },
  );

  it("is had by one who asks while its process is being killed", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    await write({ pid: child.pid! });
    expect(await lockHolder(run)).toMatchObject({ pid: child.pid });
    const taking = RunLock.take(run);
    setTimeout(() => child.kill("SIGKILL"), 200);
    await (await taking).release();
  });

  it.each(["", '{"pid":', "null"])("is stale when a kill or a full disk left %j of it", async (text) => {
    await writeFile(lockFile(), text);
    await RunLock.take(run);
    expect((await held()).pid).toBe(process.pid);
  });

  it("of another machine holds, because nobody here can tell", async () => {
    await write({ host: "elsewhere", pid: await gone() });
    await expect(RunLock.take(run)).rejects.toThrow(/process \d+ on elsewhere.*if there is no such process any more, delete .*\.lock/);
    expect((await held()).host).toBe("elsewhere");
  });

  it("is given back only by the one that has it", async () => {
    const lock = await RunLock.take(run);
    await write({ host: "elsewhere" });
    await lock.release();
    expect((await held()).host).toBe("elsewhere");
  });

  it("of a folder that is not there cannot be taken", async () => {
    await expect(RunLock.take(join(run, "none"))).rejects.toThrow(StorageError);
  });
});
