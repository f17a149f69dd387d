// Paging changes where bytes are, never what they are: every run of uses is compared with plain arrays on the host.
import { ArgumentError, accumulate, type Page, Pager, scope, type Tensor, tensor } from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { holds } from "../arbitraries.ts";
import { describeOnBackends } from "../on-backends.ts";

const SIZES = [4, 8, 4, 16, 2]; // f32 elements of the first tensor of each page; the second is as large
const bytesOfPage = (n: number): number => 2 * n * 4;
const specs = (n: number) => [{ shape: [n], dtype: "f32" } as const, { shape: [1, n], dtype: "f32" } as const];

/** One turn: which page is used, which is announced as the next, and what is added to it. */
const turns = fc.array(
  fc.record({ page: fc.nat(4), next: fc.option(fc.nat(4), { nil: undefined }), plus: fc.integer({ min: -9, max: 9 }) }),
  { maxLength: 30 },
);

const addTo = (tensors: readonly Tensor[], plus: number): void =>
  scope(tensors[0]!.backend, () => {
    for (const t of tensors) accumulate(t, tensor(t.backend, new Float32Array(t.shape.at(-1)!).fill(plus), t.shape));
  });
const floats = async (pager: Pager, page: Page): Promise<number[][]> =>
  (await pager.bytes(page)).map((bytes) => [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)]);

describeOnBackends("a pager", (backend) => {
  test("holds what was written, under any budget that fits its largest page", () =>
    holds(fc.tuple(turns, fc.constantFrom(128, 200, 256, undefined)), async ([uses, budgetBytes]) => {
      const pager = new Pager(backend(), budgetBytes === undefined ? {} : { budgetBytes });
      const pages = SIZES.map((n) => pager.add(specs(n)));
      const want = SIZES.map(() => 0);
      for (const { page, next, plus } of uses) {
        await pager.use(pages[page]!, (tensors) => addTo(tensors, plus), next === undefined ? undefined : pages[next]!);
        want[page]! += plus;
        const { residentBytes } = pager.counters;
        expect(residentBytes).toBeLessThanOrEqual(budgetBytes ?? Number.POSITIVE_INFINITY);
      }
      for (const [i, n] of SIZES.entries()) expect(await floats(pager, pages[i]!)).toEqual([0, 1].map(() => new Array(n).fill(want[i])));
      expect(pager.counters.hits + pager.counters.faults).toBe(uses.length);
      pager.dispose();
      expect(backend().memory().liveBuffers).toBe(0);
    }));

  test("sends the least recently used page out first, and counts", async () => {
    const pager = new Pager(backend(), { budgetBytes: 2 * bytesOfPage(4) });
    const [a, b, c] = [4, 4, 4].map((n) => pager.add(specs(n))) as [Page, Page, Page];
    const touch = (page: Page): Promise<void> => pager.use(page, () => {});
    for (const page of [a, b, a, c]) await touch(page); // c takes the place of b
    expect([a, b, c].map((page) => page.resident !== null)).toEqual([true, false, true]);
    await touch(b); // and b that of a
    expect([a, b, c].map((page) => page.resident !== null)).toEqual([false, true, true]);
    expect(pager.counters).toEqual({
      hits: 1,
      faults: 4,
      prefetches: 0,
      bytesIn: 32,
      bytesOut: 64,
      residentBytes: 64,
      peakResidentBytes: 64,
    });
    pager.dispose();
  });

  test("brings the next page in while there is room for both, and a use of it is a hit", async () => {
    const pager = new Pager(backend(), { budgetBytes: 2 * bytesOfPage(4) });
    const [a, b] = [4, 4].map((n) => pager.add(specs(n))) as [Page, Page];
    await pager.use(a, () => {}, b);
    await pager.use(b, () => {});
    expect(pager.counters).toMatchObject({ hits: 1, faults: 1, prefetches: 1 });
    pager.dispose();
    const small = new Pager(backend(), { budgetBytes: bytesOfPage(4) });
    const [c, d] = [4, 4].map((n) => small.add(specs(n))) as [Page, Page];
    await small.use(c, () => {}, d);
    expect(d.resident).toBe(null);
    small.dispose();
  });

  test("gives its bytes out and takes them back, wherever the page is", async () => {
    const pager = new Pager(backend());
    const [from, to] = [4, 4].map((n) => pager.add(specs(n))) as [Page, Page];
    expect(await floats(pager, from)).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    await pager.use(from, (tensors) => addTo(tensors, 3));
    await pager.use(to, (tensors) => addTo(tensors, 5));
    pager.load(to, await pager.bytes(from));
    expect(await floats(pager, to)).toEqual(await floats(pager, from));
    await pager.use(to, (tensors) => addTo(tensors, 1));
    expect((await floats(pager, to))[0]).toEqual([4, 4, 4, 4]);
    expect((await floats(pager, from))[0]).toEqual([3, 3, 3, 3]);
    pager.dispose();
  });

  test("keeps pages when a step's scope ends around their first use", async () => {
    const pager = new Pager(backend());
    const page = pager.add(specs(4));
    await scope(backend(), () => ({ done: pager.use(page, (tensors) => addTo(tensors, 2)) })).done;
    expect((await floats(pager, page))[0]).toEqual([2, 2, 2, 2]);
    pager.dispose();
  });

  test("refuses a page that never fits, a budget that is none, and bytes of another size", () => {
    const refused = (body: () => unknown): unknown => {
      try {
        return body();
      } catch (error) {
        return error;
      }
    };
    expect(refused(() => new Pager(backend(), { budgetBytes: 31 }).add(specs(4)))).toMatchObject({
      name: "ArgumentError",
      op: "pager",
      argument: "budgetBytes",
      value: 31,
    });
    expect(refused(() => new Pager(backend(), { budgetBytes: -1 }))).toBeInstanceOf(ArgumentError);
    expect(refused(() => new Pager(backend(), { budgetBytes: Number.NaN }))).toBeInstanceOf(ArgumentError);
    const pager = new Pager(backend());
    const page = pager.add(specs(4));
    expect(refused(() => pager.load(page, [new Uint8Array(16), new Uint8Array(15)]))).toMatchObject({
      name: "ArgumentError",
      argument: "bytes",
      value: 15,
    });
    pager.dispose();
  });
});
