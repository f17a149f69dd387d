// Attention in tiles, which real GPUs take, against attention in registers, which software takes and the suite of all backends tests.
import { attention, type Backend, grad, parameter, type Shape, scope, sizeOf, sum, type Tensor, tensor } from "@qlora-js/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebGpuBackend } from "../backend.ts";
import { createWebGpuBackend } from "../create-webgpu-backend.ts";
import { absent, on } from "../webgpu.fixture.ts";

interface Problem {
  readonly title: string;
  /** [batch, time, heads, head size] */
  readonly q: Shape;
  /** [batch, keys, groups, head size] */
  readonly k: Shape;
  readonly starts: readonly number[];
  readonly offset: number;
  readonly window?: number | null;
  readonly softcap?: number | null;
}

const PROBLEMS: readonly Problem[] = [
  { title: "several tiles of queries and keys, shared heads and padding", q: [2, 20, 4, 6], k: [2, 40, 2, 6], starts: [0, 33], offset: 3 },
  { title: "one query over many keys, in parts", q: [2, 1, 2, 6], k: [2, 200, 1, 6], starts: [0, 150], offset: 190 },
  { title: "heads too large for one workgroup", q: [1, 3, 1, 130], k: [1, 3, 1, 130], starts: [1], offset: 0 },
  { title: "windows shorter than a tile", q: [2, 50, 4, 6], k: [2, 90, 2, 6], starts: [0, 45], offset: 39, window: 5 },
  { title: "windows of some tiles, capped", q: [1, 100, 2, 6], k: [1, 100, 2, 6], starts: [3], offset: 0, window: 70, softcap: 0.6 },
  {
    title: "one query over the last of many keys, in parts",
    q: [2, 1, 2, 6],
    k: [2, 300, 1, 6],
    starts: [0, 250],
    offset: 290,
    window: 170,
  },
];

const wave = (backend: Backend, shape: Shape, step: number): Tensor =>
  tensor(
    backend,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + step * i)),
    shape,
  );

/** y and its gradients, weighted so that each element counts differently. */
async function results(backend: Backend, { q, k, starts, offset, window = null, softcap = null }: Problem): Promise<number[][]> {
  const tensors = scope(backend, () => {
    const inputs = [wave(backend, q, 0.7), wave(backend, k, 1.3), wave(backend, k, 2.1)].map(parameter) as [Tensor, Tensor, Tensor];
    const y = attention(...inputs, tensor(backend, starts, [starts.length], "i32"), { scale: 0.4, offset, window, softcap });
    const flat = wave(backend, q, 0.9);
    return [y, ...grad(y, inputs, { seed: flat }), sum(y)];
  });
  const values = await Promise.all(tensors.map(async (t) => Array.from(await t.read(), Number)));
  for (const t of tensors) t.dispose();
  return values;
}

describe.skipIf(absent !== "")(`attention in tiles, ${on}`, () => {
  let [registers, tiles]: WebGpuBackend[] = [];
  const open = async (software: boolean): Promise<WebGpuBackend> => {
    const { gpu, device, facts, limits } = await createWebGpuBackend({ software: true });
    return new WebGpuBackend(gpu, device, { ...facts, software }, limits.maxTotalBytes);
  };
  beforeAll(async () => {
    [registers, tiles] = [await open(true), await open(false)];
  });
  afterAll(() => {
    registers?.dispose();
    tiles?.dispose();
  });
  for (const problem of PROBLEMS)
    test(`agrees with registers: ${problem.title}`, async () => {
      const [want, got] = [await results(registers!, problem), await results(tiles!, problem)];
      got.forEach((values, t) => {
        const worst = Math.max(...values.map((v, i) => Math.abs(v - want[t]![i]!) / (1 + Math.abs(want[t]![i]!))));
        expect(worst, `table ${t}`).toBeLessThan(2e-6);
      });
      expect(want[0]!.some((v) => v !== 0)).toBe(true);
    });
});
