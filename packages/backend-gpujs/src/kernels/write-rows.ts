// cache[b, start + t, …] ← rows[b, t, …], said as a gather: the new cache is the old one but for those rows.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import { whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type Matrix, program, type Thread } from "../program.ts";

// columns count the elements of one b
const written = program(function (this: Thread, cache: Matrix, rows: Matrix, start: number, length: number) {
  const i = this.thread.x - start;
  if (i < 0 || i >= length) return cache[this.thread.z]![this.thread.x]!;
  return rows[this.thread.z]![i]!;
});

export const writeRowsKernels = {
  writeRows: (gpu, [cache, rows], [next], { start }) => {
    const [batch, positions] = cache!.shape as [number, number];
    const width = sizeOf(cache!.shape.slice(2));
    const length = rows!.shape[1]! * width;
    const all = positions * width;
    const args = [gpu.values(cache!, [all, batch]), gpu.values(rows!, [length, batch]), whole(start * width), whole(length)];
    gpu.fill(next!, written, [all, batch], args);
  },
} satisfies Partial<KernelTable<Gpu>>;
