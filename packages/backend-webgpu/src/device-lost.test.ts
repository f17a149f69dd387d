// A device that goes away: whatever was running, the next who waits is told so by a typed error, and nothing else is.
import { DeviceError, DeviceLostError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { createWebGpuBackend } from "./create-webgpu-backend.ts";
import { absent, DoomedBackend, on, SmallModel } from "./webgpu.fixture.ts";

/** What a call throws or rejects with. */
async function thrown(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.skipIf(absent !== "")(`a lost device, ${on}`, () => {
  test("is told by read, naming what ran, whichever kind of op of a training step it was lost at", async () => {
    const whole = await DoomedBackend.create();
    const model = new SmallModel(whole);
    const before = whole.ran.length;
    model.step().dispose();
    const lastOfItsKind = new Map(whole.ran.slice(before).map((op, at) => [op, at]));
    await whole.flush();
    model.dispose();
    whole.dispose();
    expect(lastOfItsKind.size).toBeGreaterThanOrEqual(12);
    for (const [op, at] of lastOfItsKind) {
      const backend = await DoomedBackend.create();
      const doomed = new SmallModel(backend);
      await backend.flush();
      const held = backend.memory().liveBuffers;
      backend.fatal = backend.ran.length + at;
      const loss = doomed.step();
      const error = await thrown(() => loss.read());
      expect(error, `lost at ${op}`).toBeInstanceOf(DeviceLostError);
      const { running, reason } = error as DeviceLostError;
      expect(running).toContain("adamW");
      expect(reason).not.toBe("");
      loss.dispose();
      expect(backend.memory().liveBuffers, `held after ${op}`).toBe(held);
      expect(await thrown(() => doomed.step())).toBeInstanceOf(DeviceLostError);
      doomed.dispose();
      expect(backend.memory()).toMatchObject({ liveBuffers: 0, liveBytes: 0 });
      backend.dispose();
    }
  });

  test("is told by everything that comes after", async () => {
    const backend = await createWebGpuBackend({ software: true });
    const buffer = backend.alloc(16);
    const view = { buffer, dtype: "f32", shape: [4] } as const;
    backend.run("neg", [view], [{ ...view, buffer: backend.alloc(16) }], {});
    backend.device.destroy();
    const calls = [
      () => backend.flush(),
      () => backend.flush(),
      () => backend.read(buffer),
      () => backend.alloc(16),
      () => backend.write(buffer, new Uint8Array(16)),
      () => backend.run("neg", [view], [view], {}),
    ];
    for (const call of calls) expect(await thrown(call)).toMatchObject({ name: "DeviceLostError", backend: "webgpu", running: ["neg"] });
    backend.free(buffer);
    expect(backend.memory().liveBuffers).toBe(1);
    backend.dispose();
    expect(backend.memory()).toMatchObject({ liveBuffers: 0, liveBytes: 0 });
    expect(await thrown(() => backend.alloc(16))).toBeInstanceOf(DeviceError);
  });

  test("is told to who waits already", async () => {
    const backend = await createWebGpuBackend({ software: true });
    const waiting = [thrown(() => backend.read(backend.alloc(1024))), thrown(() => backend.flush())];
    backend.device.destroy();
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(DeviceLostError);
    backend.dispose();
  });

  test("is no loss where the backend was disposed: who waits is told that", async () => {
    const backend = await createWebGpuBackend({ software: true });
    const waiting = [thrown(() => backend.read(backend.alloc(1024))), thrown(() => backend.flush())];
    backend.dispose();
    for (const error of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(DeviceError);
      expect(String(error)).toContain("disposed");
    }
    backend.dispose();
  });
});
