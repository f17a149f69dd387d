// cache[b, start + t, …] ← rows[b, t, …]
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";

export const writeRowsKernels = {
  writeRows: (gpu, inputs, outputs, { start }) => {
    const [, rows] = inputs as [View, View];
    const [cache] = outputs as [View];
    if (rows.buffer === cache.buffer) return; // one tensor of one size: each row is where it belongs
    const width = sizeOf(cache.shape.slice(2));
    gpu.dispatch({
      name: "writeRows",
      reads: { rows },
      writes: { cache },
      params: { row: rows.shape[1]! * width, wholeRow: cache.shape[1]! * width, first: start * width },
      grid: { threads: sizeOf(rows.shape) },
      wgsl: () => "fn thread(i: u32) { cache[i / params.row * params.wholeRow + params.first + i % params.row] = rows_at(i); }",
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
