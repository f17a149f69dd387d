import { DeviceError } from "@qlora-js/core";
import { afterEach, describe, expect, it } from "vitest";
import { platform } from "#platform";
import type { Platform } from "./platform.ts";
import { ThreadPool } from "./thread-pool.ts";

// `permuteElements` stands for any kernel: to [columns, rows] ← x [rows, columns], a task for each column.
const [ROWS, COLUMNS] = [500, 20];
const TASKS = COLUMNS;
const [FROM, TO] = [2 ** 20, 4 * 2 ** 20];
const transpose = (to: number, from: number, rows: number, columns: number) =>
  ["permuteElements", [to, from, 4, 1, columns, rows, 0, 0, 1, columns]] as const;

describe("the thread pool", { timeout: 30_000 }, () => {
  const pools: ThreadPool[] = [];
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.dispose();
  });

  async function start(threads: number, on: Platform = platform): Promise<{ pool: ThreadPool; floats: Float32Array }> {
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 65536, shared: true });
    const scratch = Array.from({ length: threads }, (_, i) => 65536 * (i + 1));
    const pool = await ThreadPool.create({ platform: on, module: await on.loadKernels(true), memory, scratch });
    pools.push(pool);
    const floats = new Float32Array(memory.buffer);
    floats.set(
      Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i)),
      FROM / 4,
    );
    return { pool, floats };
  }
  const transposed = (floats: Float32Array): Float32Array => floats.slice(TO / 4, TO / 4 + ROWS * COLUMNS);
  const job = transpose(TO, FROM, ROWS, COLUMNS);

  it("does every task once, on any number of threads and however many are taken at a time", async () => {
    const expected = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin((i % ROWS) * COLUMNS + Math.floor(i / ROWS)));
    for (const threads of [1, 2, 3]) {
      const { pool, floats } = await start(threads);
      expect(pool.threads).toBe(threads);
      for (const grain of [1, 3, TASKS, 1000]) {
        floats.fill(0, TO / 4);
        pool.run(...job, TASKS, grain);
        expect(transposed(floats)).toEqual(expected);
      }
    }
  });

  it("keeps many short jobs apart", async () => {
    const { pool, floats } = await start(3);
    for (let i = 0; i < 2000; i++) {
      // 4 tasks of one element each: copies element i of the source to the place before it
      const at = i % 1000;
      floats[FROM / 4] = i;
      pool.run(...transpose(TO + 4 * at, FROM, 1, 4), 4);
      if (floats[TO / 4 + at] !== i) expect.fail(`job ${i} left ${floats[TO / 4 + at]}`);
    }
  });

  it("wakes threads that went to sleep, again and again", async () => {
    const { pool, floats } = await start(3);
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 3));
      floats.fill(0, TO / 4);
      pool.run(...job, TASKS);
      expect(transposed(floats).at(-1)).toBe(Math.fround(Math.sin(ROWS * COLUMNS - 1)));
    }
  });

  it("works where the calling thread may not wait, as on a browser's main thread", async () => {
    const { pool, floats } = await start(2, { ...platform, mayWait: false });
    for (let i = 0; i < 200; i++) pool.run(...job, TASKS);
    expect(transposed(floats).at(-1)).toBe(Math.fround(Math.sin(ROWS * COLUMNS - 1)));
  });

  it("runs on memory that is not shared, with the kernels made for it", async () => {
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 65536 });
    const pool = await ThreadPool.create({ platform, module: await platform.loadKernels(false), memory, scratch: [65536] });
    pools.push(pool);
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 2, 3, 4, 5, 6], FROM / 4);
    pool.run(...transpose(TO, FROM, 2, 3), 3);
    expect(floats.slice(TO / 4, TO / 4 + 6)).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6));
  });

  it("does nothing for no tasks", async () => {
    const { pool, floats } = await start(2);
    floats.fill(7, TO / 4);
    pool.run(...job, 0);
    expect(transposed(floats).every((x) => x === 7)).toBe(true);
  });

  it("refuses a kernel that is not in the module, by name", async () => {
    const { pool } = await start(1);
    expect(() => pool.run("nothing", [])).toThrow(DeviceError);
    expect(() => pool.run("nothing", [])).toThrow(/"nothing"/);
  });

  it.each([1, 2, 3])("names the kernel that trapped, with %i threads, and refuses all after it", async (threads) => {
    const { pool } = await start(threads);
    const beyond = 2 ** 32 - 4096; // not in the memory
    expect(() => pool.run(...transpose(beyond, beyond, 64, 100), 100)).toThrow(/"permuteElements" trapped/);
    expect(() => pool.run(...job, TASKS)).toThrow(/"permuteElements" trapped/);
  });

  it("says so when it is used after dispose, which may be called twice", async () => {
    const { pool } = await start(2);
    pool.dispose();
    pool.dispose();
    expect(() => pool.run(...job, TASKS)).toThrow(DeviceError);
  });

  it("rejects when a worker does not start, saying what to do", async () => {
    const broken: Platform = {
      ...platform,
      startWorker: () => Promise.reject(new DeviceError("cpu: a worker thread did not start. Use threads: 1.")),
    };
    await expect(start(2, broken)).rejects.toThrow(/threads: 1/);
  });
});
