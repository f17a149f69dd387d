import {
  adamW,
  add,
  type Backend,
  cast,
  DeviceError,
  grad,
  linearCrossEntropy,
  matmul,
  mean,
  parameter,
  scope,
  square,
  sub,
  sum,
  tensor,
  writeRows,
  zeros,
} from "@qlora-js/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuJsBackend } from "./backend.ts";
import { createGpuJsBackend } from "./create-gpujs-backend.ts";

const ADAMW = { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Fits w to x·w = y, and says after each step what is live. */
async function fit(backend: GpuJsBackend, steps: number): Promise<{ readonly losses: number[]; readonly live: number[] }> {
  const x = tensor(backend, Float32Array.of(1, 2, 3, 4, 5, 7), [3, 2]);
  const y = tensor(backend, Float32Array.of(5, 11, 19), [3, 1]);
  const start = zeros(backend, [2, 1]);
  const w = parameter(start);
  const [m, v] = [zeros(backend, [2, 1]), zeros(backend, [2, 1])];
  const one = tensor(backend, Float32Array.of(1), []);
  const [losses, live]: [number[], number[]] = [[], []];
  for (let step = 1; step <= steps; step++) {
    const loss = scope(backend, () => {
      const error = mean(square(sub(matmul(x, w), y)));
      const [slope] = grad(error, [w]);
      adamW(w, m, v, slope!, one, { ...ADAMW, step });
      return error;
    });
    losses.push((await loss.read())[0]!);
    loss.dispose();
    live.push(backend.liveTextures);
  }
  for (const t of [x, y, start, w, m, v, one]) t.dispose();
  return { losses, live };
}

describe.each(["cpu", "webasm"] as const)("gpujs in the mode %s", (mode) => {
  let backend: GpuJsBackend;
  beforeAll(async () => {
    backend = await createGpuJsBackend({ mode });
  });
  afterAll(() => backend.dispose());

  test("fits a line, and holds after 300 steps what it held after 10", async () => {
    const { losses, live } = await fit(backend, 300);
    expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.01);
    expect(new Set(live.slice(9))).toEqual(new Set([live[9]]));
    expect(backend.memory().liveBuffers).toBe(0);
    expect(backend.liveTextures).toBe(0);
  });

  test("counts what values take on the device, which is 4 bytes each whatever their dtype", async () => {
    expect(backend.textureBytes.live).toBe(0);
    backend.resetPeak();
    const x = tensor(backend, Float32Array.of(1, 2, 3, 4, 5, 6), [6], "bf16");
    expect([backend.memory().liveBytes, backend.textureBytes.live]).toEqual([12, 0]); // no kernel has asked for values
    const y = cast(x, "f32");
    expect([backend.memory().liveBytes, backend.textureBytes.live]).toEqual([36, 48]);
    for (const made of [x, y]) made.dispose();
    expect(backend.textureBytes).toEqual({ live: 0, peak: 48 });
  });

  test("keeps bytes as they were written, and changes a part of what a kernel made", async () => {
    const cache = tensor(backend, Float32Array.of(1, 2, 3, 4), [1, 4]);
    const rows = tensor(backend, Float32Array.of(9), [1, 1]);
    writeRows(cache, rows, 2);
    const { buffer } = cache.storage;
    backend.write(buffer, new Uint8Array(Float32Array.of(7).buffer), 4);
    expect([...(await cache.read())]).toEqual([1, 7, 9, 4]);
    expect([...new Float32Array((await backend.read(buffer, 8, 8)).slice().buffer)]).toEqual([9, 4]);
    for (const t of [cache, rows]) t.dispose();
  });
});

describe("a gpujs backend", () => {
  test("computes a head of many logits in parts, each row as if it were alone", async () => {
    const backend = await createGpuJsBackend({ mode: "webasm" });
    const [rows, vocabulary, n] = [1030, 4096, 2]; // 4,218,880 logits: more than are made at a time
    const x = tensor(
      backend,
      Float32Array.from({ length: rows * n }, (_, i) => Math.sin(i % 6)),
      [rows, n],
    );
    const head = tensor(
      backend,
      Float32Array.from({ length: vocabulary * n }, (_, i) => Math.cos(i)),
      [vocabulary, n],
    );
    const targets = tensor(
      backend,
      Int32Array.from({ length: rows }, (_, r) => 7 * (r % 3)),
      [rows],
      "i32",
    );
    const w = parameter(x);
    const losses = linearCrossEntropy(w, head, targets);
    const [slopes] = grad(sum(losses), [w]);
    for (const [values, width] of [
      [await losses.read(), 1],
      [await slopes!.read(), n],
    ] as const) {
      expect(values).toHaveLength(rows * width);
      for (const [i, value] of values.entries()) if (value !== values[i % (3 * width)]) expect.fail(`${i}: ${value}`);
    }
    backend.dispose();
  });

  test("refuses buffers that are freed, of another backend, or asked for after disposal", async () => {
    const [one, other]: Backend[] = [await createGpuJsBackend({ mode: "cpu" }), await createGpuJsBackend({ mode: "cpu" })];
    const buffer = one!.alloc(4);
    expect(() => other!.write(buffer, new Uint8Array(4))).toThrow(DeviceError);
    one!.free(buffer);
    expect(() => one!.free(buffer)).toThrow(DeviceError);
    const [a, b] = [tensor(one!, Float32Array.of(1), []), tensor(one!, Float32Array.of(2), [])];
    add(a, b);
    one!.dispose();
    one!.dispose();
    expect(() => one!.alloc(4)).toThrow(DeviceError);
    other!.dispose();
  });

  test("says what it leaves to the host, and why", async () => {
    const backend = await createGpuJsBackend({ mode: "cpu" });
    expect(backend.facts.mode).toBe("cpu");
    expect(backend.capabilities.onHost.map(({ what }) => what)).toEqual(["the mask of dropout", "cast to f16 and bf16"]);
    backend.dispose();
  });

  test("has no room beyond its limits", async () => {
    const backend = await createGpuJsBackend({ mode: "cpu" });
    expect(() => backend.alloc(backend.limits.maxBufferBytes + 1)).toThrow(
      expect.objectContaining({ name: "OutOfMemoryError", backend: "gpujs" }),
    );
    backend.dispose();
  });
});
