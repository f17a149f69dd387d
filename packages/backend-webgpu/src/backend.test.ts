// The backend's own promises beyond what every backend is tested for: what memory it counts and keeps, what it refuses, and that a step repeats to the bit.
import { add, DeviceError, OutOfMemoryError, tensor } from "@qlora-js/core";
import { afterEach, describe, expect, test } from "vitest";
import type { WebGpuBackend } from "./backend.ts";
import { createWebGpuBackend, type WebGpuBackendOptions } from "./create-webgpu-backend.ts";
import { absent, on, SmallModel } from "./webgpu.fixture.ts";

const made: WebGpuBackend[] = [];
async function open(options: WebGpuBackendOptions = {}): Promise<WebGpuBackend> {
  const backend = await createWebGpuBackend({ software: true, ...options });
  made.push(backend);
  return backend;
}
afterEach(() => {
  for (const backend of made.splice(0)) backend.dispose();
});

describe.skipIf(absent !== "")(`memory, ${on}`, () => {
  test("is counted by the bytes asked for, with the most at one time", async () => {
    const backend = await open();
    const buffer = backend.alloc(5);
    backend.free(backend.alloc(64));
    expect(backend.memory()).toEqual({ liveBuffers: 1, liveBytes: 5, peakBytes: 69 });
    backend.resetPeak();
    expect(backend.memory().peakBytes).toBe(5);
    backend.free(buffer);
  });

  test("that was freed is used again, and given back when the budget needs it", async () => {
    const backend = await open({ maxBytes: 1024 });
    backend.free(backend.alloc(256));
    expect(backend.counters.pooledBytes).toBe(256);
    const same = backend.alloc(250);
    expect(backend.counters.pooledBytes).toBe(0);
    backend.free(same);
    const large = backend.alloc(1000);
    expect(backend.counters.pooledBytes).toBe(0);
    await backend.flush();
    backend.free(large);
  });

  test("beyond the budget is refused with how much was asked and how much is in use", async () => {
    const backend = await open({ maxBytes: 1000 });
    const held = backend.alloc(400);
    expect(() => backend.alloc(601)).toThrow(OutOfMemoryError);
    expect(() => backend.alloc(601)).toThrow(expect.objectContaining({ backend: "webgpu", requestedBytes: 601, liveBytes: 400 }));
    expect(backend.memory()).toMatchObject({ liveBuffers: 1, liveBytes: 400 });
    backend.free(held);
    backend.free(backend.alloc(601));
  });

  test("beyond the largest buffer of the device is refused", async () => {
    const backend = await open({ maxBytes: Number.MAX_SAFE_INTEGER });
    const requestedBytes = backend.limits.maxBufferBytes + 16;
    expect(() => backend.alloc(requestedBytes)).toThrow(expect.objectContaining({ name: "OutOfMemoryError", requestedBytes }));
    expect(backend.memory().liveBuffers).toBe(0);
  });

  test("is the same after 200 steps as after 10", async () => {
    const backend = await open();
    const model = new SmallModel(backend);
    const after: object[] = [];
    for (let step = 1; step <= 200; step++) {
      model.step().dispose();
      if (step % 10 === 0) await backend.flush();
      if (step === 10 || step === 200)
        after.push({ ...backend.memory(), pooled: backend.counters.pooledBytes, programs: backend.counters.programs });
    }
    expect(after[1]).toEqual(after[0]);
    model.dispose();
    expect(backend.memory()).toMatchObject({ liveBuffers: 0, liveBytes: 0 });
  });
});

describe.skipIf(absent !== "")(`mistakes, ${on}`, () => {
  test("two backends in one op", async () => {
    const [one, other] = [await open(), await open()];
    const [a, b] = [tensor(one, [1]), tensor(other, [1])];
    expect(() => add(a, b)).toThrow(DeviceError);
    const view = ({ storage: { buffer } }: typeof a) => ({ buffer, dtype: "f32", shape: [1] }) as const;
    expect(() => one.run("neg", [view(b)], [view(a)], {})).toThrow(DeviceError);
    await expect(one.read(view(b).buffer)).rejects.toThrow(DeviceError);
    a.dispose();
    b.dispose();
  });

  test("a backend, or a tensor of it, after dispose()", async () => {
    const backend = await open();
    const a = tensor(backend, [1, 2]);
    backend.dispose();
    expect(() => add(a, a)).toThrow(DeviceError);
    await expect(a.read()).rejects.toThrow(DeviceError);
    await expect(backend.flush()).rejects.toThrow(DeviceError);
    expect(() => backend.alloc(4)).toThrow(DeviceError);
    expect(() => a.dispose()).not.toThrow(); // as scopes and `using` do, late
  });

  test("a buffer after it was freed, and a kernel that does not exist", async () => {
    const backend = await open();
    const buffer = backend.alloc(16);
    backend.free(buffer);
    expect(() => backend.free(buffer)).toThrow(DeviceError);
    expect(() => backend.write(buffer, new Uint8Array(16))).toThrow(DeviceError);
    expect(() => backend.run("toString", [], [], {})).toThrow(DeviceError);
  });

  test("bytes beyond a buffer, and writes that are not whole words", async () => {
    const backend = await open();
    const buffer = backend.alloc(10);
    for (const [offset, length] of [
      [8, 4],
      [-4, 4],
      [0, 11],
      [2, 4],
      [0, 6],
    ] as const)
      expect(() => backend.write(buffer, new Uint8Array(length), offset), `${length} bytes at ${offset}`).toThrow(DeviceError);
    await expect(backend.read(buffer, 8, 4)).rejects.toThrow(DeviceError);
    backend.write(buffer, Uint8Array.of(1, 2, 3, 4, 5, 6), 4); // up to the end, whatever its size
    expect(await backend.read(buffer, 3 + 2, 5)).toEqual(Uint8Array.of(2, 3, 4, 5, 6));
    backend.free(buffer);
  });
});

describe.skipIf(absent !== "")(`training, ${on}`, () => {
  test("gives the same bits twice", async () => {
    const runs: Uint8Array[][] = [];
    for (let run = 0; run < 2; run++) {
      const backend = await open();
      const model = new SmallModel(backend);
      const losses = [1, 2, 3, 4].map(() => model.step());
      runs.push(await Promise.all([...losses, ...model.state].map(({ storage }) => backend.read(storage.buffer))));
      for (const loss of losses) loss.dispose();
      model.dispose();
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[0]![0]).not.toEqual(runs[0]![3]);
  });
});
