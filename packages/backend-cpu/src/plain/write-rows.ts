// cache[b, start + t, …] ← rows[b, t, …]
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";

export const writeRowsKernels = {
  writeRows: (host, inputs, outputs, { start }) => {
    const [, rows] = inputs as [View, View];
    const [cache] = outputs as [View];
    const width = sizeOf(cache.shape.slice(2));
    const length = rows.shape[1]! * width;
    const values = host.f32(rows);
    const result = host.f32(cache);
    for (let b = 0; b < rows.shape[0]!; b++)
      result.set(values.subarray(b * length, (b + 1) * length), (b * cache.shape[1]! + start) * width);
  },
} satisfies Partial<KernelTable<Host>>;
