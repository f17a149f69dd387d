// Paged weights are the same weights: outputs and gradients have the same bits under any budget, forward and back through the layers.
import {
  ArgumentError,
  checkpoint,
  FrozenPager,
  grad,
  nf4,
  OutOfMemoryError,
  parameter,
  type QTensor,
  qmatmul,
  quantize,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
} from "@qlora-js/core";
import { expect, test } from "vitest";
import { describeOnBackends } from "../on-backends.ts";

const LAYERS = 5;
const SIZE = 64;
const PAGE_BYTES = (SIZE * SIZE) / 2 + (SIZE * SIZE) / 64 + 4 + 4; // codes, 8-bit scales, their one scale, their offset

const wave = (n: number, seed: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.37 + seed) / 8);

describeOnBackends("a pager of frozen weights", (backend) => {
  const weights = (): QTensor[] =>
    Array.from({ length: LAYERS }, (_, i) =>
      scope(backend(), () => quantize(tensor(backend(), wave(SIZE * SIZE, i), [SIZE, SIZE]), nf4())),
    );
  const step = async (layers: readonly QTensor[]): Promise<readonly (readonly number[])[]> => {
    const results = scope(backend(), () => {
      const x = parameter(tensor(backend(), wave(3 * SIZE, 9), [3, SIZE]));
      const layer = (w: QTensor) => (input: Tensor) => qmatmul(input, w);
      const y = layers.reduce((h, w, i) => (i % 2 ? checkpoint(layer(w), [h]) : layer(w)(h)), x);
      return [y.detach(), ...grad(sum(square(y)), [x])];
    });
    const values = await Promise.all(results.map(async (t) => [...(await t.read())]));
    for (const t of results) t.dispose();
    return values;
  };

  test("gives the same bits as weights that stay, with a tenth of them on the device or all", async () => {
    const kept = weights();
    const want = await step(kept);
    for (const w of kept) w.dispose();
    for (const budgetBytes of [PAGE_BYTES, 2 * PAGE_BYTES, 3 * PAGE_BYTES, Number.POSITIVE_INFINITY]) {
      const pager = new FrozenPager(backend(), { budgetBytes });
      const paged: QTensor[] = [];
      for (const [i, w] of weights().entries()) paged.push(await pager.adopt(w, i));
      expect(backend().memory().liveBytes).toBe(0);
      expect(await step(paged)).toEqual(want);
      expect(pager.counters.peakResidentBytes).toBeLessThanOrEqual(budgetBytes);
      for (const w of paged) w.dispose();
      expect(pager.counters.residentBytes).toBe(0);
    }
  });

  test("brings the next layer in ahead of its use, in both directions", async () => {
    const pager = new FrozenPager(backend(), { budgetBytes: 2 * PAGE_BYTES });
    const paged: QTensor[] = [];
    for (const [i, w] of weights().entries()) paged.push(await pager.adopt(w, i));
    await step(paged);
    const { hits, faults, prefetches, bytesOut } = pager.counters;
    // nine turns, the last layer having one: the first is waited for, four come ahead; on the way back the fourth is there still, three come ahead
    expect({ hits, faults, prefetches, bytesOut }).toEqual({ hits: 8, faults: 1, prefetches: 7, bytesOut: 0 });
    for (const w of paged) w.dispose();
  });

  test("leaves nothing of a page that the device has no room for, and brings it in when there is room again", async () => {
    const pager = new FrozenPager(backend());
    const [first, ...others] = weights() as [QTensor, ...QTensor[]];
    for (const w of others) w.dispose();
    const paged = await pager.adopt(first, 0);
    const { alloc } = backend();
    let allocations = 0;
    backend().alloc = (byteLength) => {
      if (++allocations === 3) throw new OutOfMemoryError("test", byteLength, 0, "no room.");
      return alloc.call(backend(), byteLength);
    };
    expect(() => paged.views()).toThrow(OutOfMemoryError);
    backend().alloc = alloc;
    expect(backend().memory().liveBytes).toBe(0);
    expect(pager.counters.residentBytes).toBe(0);
    expect(paged.views()).toHaveLength(4);
    expect(pager.counters.residentBytes).toBe(PAGE_BYTES);
    paged.dispose();
  });

  test("refuses a page that can never fit", async () => {
    const pager = new FrozenPager(backend(), { budgetBytes: PAGE_BYTES - 1 });
    const [first, ...others] = weights() as [QTensor, ...QTensor[]];
    await expect(pager.adopt(first, 0)).rejects.toBeInstanceOf(ArgumentError);
    for (const w of [first, ...others]) w.dispose();
  });
});
