import { spawnSync } from "node:child_process";
import { DeviceError, OutOfMemoryError, tensor } from "@qlora-js/core";
import { afterEach, describe, expect, it } from "vitest";
import { type CpuBackend, type CpuBackendOptions, createCpuBackend } from "./backend.ts";
import { createPlainBackend } from "./plain/plain-backend.ts";

describe("the CPU backend", () => {
  const made: CpuBackend[] = [];
  const create = async (options?: CpuBackendOptions): Promise<CpuBackend> => {
    const backend = await createCpuBackend(options);
    made.push(backend);
    return backend;
  };
  afterEach(() => {
    for (const backend of made.splice(0)) backend.dispose();
  });

  it("keeps what was written, also when the memory grows in between", async () => {
    const backend = await create({ threads: 1 });
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
    const buffer = backend.alloc(1000);
    backend.write(buffer, bytes);
    backend.write(buffer, bytes.subarray(0, 4), 996);
    const large = backend.alloc(64 * 2 ** 20);
    const read = await backend.read(buffer);
    expect(read.subarray(0, 996)).toEqual(bytes.subarray(0, 996));
    expect(await backend.read(buffer, 996)).toEqual(bytes.subarray(0, 4));
    expect(await backend.read(buffer, 10, 3)).toEqual(bytes.subarray(10, 13));
    expect(read.buffer).toBeInstanceOf(ArrayBuffer);
    backend.free(large);
  });

  it("counts buffers and bytes", async () => {
    const backend = await create({ threads: 2 });
    expect(backend.memory()).toEqual({ liveBuffers: 0, liveBytes: 0, peakBytes: 0 });
    const a = backend.alloc(128);
    backend.free(backend.alloc(64));
    expect(backend.memory()).toEqual({ liveBuffers: 1, liveBytes: 128, peakBytes: 192 });
    backend.resetPeak();
    expect(backend.memory().peakBytes).toBe(128);
    backend.free(a);
  });

  it("has the threads it was asked for, one at least", async () => {
    expect((await create({ threads: 3 })).threads).toBe(3);
    expect((await create({ threads: 0 })).threads).toBe(1);
  });

  it("says how much was asked and how much is in use when there is no room", async () => {
    const backend = await create({ threads: 1, maxBytes: 32 * 2 ** 20 });
    expect(backend.limits.maxTotalBytes).toBe(32 * 2 ** 20);
    backend.alloc(2 ** 20);
    expect(() => backend.alloc(64 * 2 ** 20)).toThrow(OutOfMemoryError);
    try {
      backend.alloc(64 * 2 ** 20);
    } catch (error) {
      expect(error).toMatchObject({ backend: "cpu", requestedBytes: 64 * 2 ** 20, liveBytes: 2 ** 20 });
    }
  });

  it("refuses buffers that were freed or are another backend's, and kernels there are none of", async () => {
    const [backend, other] = [await create({ threads: 1 }), createPlainBackend()];
    const freed = backend.alloc(4);
    backend.free(freed);
    const foreign = other.alloc(4);
    for (const buffer of [freed, foreign]) {
      const view = { buffer, dtype: "f32", shape: [1] } as const;
      expect(() => backend.free(buffer)).toThrow(DeviceError);
      expect(() => backend.write(buffer, new Uint8Array(4))).toThrow(DeviceError);
      expect(() => backend.run("exp", [view], [view], {})).toThrow(DeviceError);
      await expect(backend.read(buffer)).rejects.toThrow(DeviceError);
    }
    expect(() => backend.run("nothing", [], [], {})).toThrow(/"nothing"/);
    other.dispose();
  });

  it("refuses bytes beyond a buffer's end, which are another buffer's", async () => {
    const backend = await create({ threads: 1 });
    const buffer = backend.alloc(8);
    expect(() => backend.write(buffer, new Uint8Array(4), 6)).toThrow(/8/);
    await expect(backend.read(buffer, 4, 5)).rejects.toThrow(DeviceError);
  });

  it("lets go of a tensor after dispose(), and gives its values to another before", async () => {
    const [one, other] = [await create({ threads: 1 }), await create({ threads: 1 })];
    const a = tensor(one, [1, -2, 3], [3], "bf16");
    const b = await a.to(other);
    one.dispose();
    expect(() => a.dispose()).not.toThrow();
    expect(b.dtype).toBe("bf16");
    expect([...(await b.read())]).toEqual([1, -2, 3]);
    b.dispose();
    expect(other.memory().liveBuffers).toBe(0);
  });

  it("may be disposed twice, and refuses to allocate afterwards", async () => {
    const backend = await create({ threads: 2 });
    backend.alloc(4);
    backend.dispose();
    backend.dispose();
    expect(() => backend.alloc(4)).toThrow(DeviceError);
    expect(backend.memory().liveBuffers).toBe(0);
  });

  it("does not keep a process alive", () => {
    const script = `import { createCpuBackend } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)}; await createCpuBackend({ threads: 3 }); console.log("made");`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      timeout: 20_000,
      encoding: "utf8",
    });
    expect([stdout.trim(), status]).toEqual(["made", 0]);
  });
});
