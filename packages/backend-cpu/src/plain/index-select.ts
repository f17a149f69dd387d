// Picking rows by id, and adding into rows by id.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { numbers } from "./values.ts";

export const indexSelectKernels = {
  // y[j, …] = x[ids[j], …]
  indexSelect: (host, inputs, outputs) => {
    const [x, ids] = inputs as [View, View];
    const [y] = outputs as [View];
    const width = sizeOf(x.shape.slice(1));
    const values = numbers(host, x);
    const rows = host.i32(ids);
    const result = host.f32(y);
    for (let j = 0; j < rows.length; j++) result.set(values.subarray(rows[j]! * width, (rows[j]! + 1) * width), j * width);
  },
  // y[ids[j], …] += x[j, …], in the order of j, in f64
  indexAdd: (host, inputs, outputs) => {
    const [x, ids] = inputs as [View, View];
    const [y] = outputs as [View];
    const width = sizeOf(y.shape.slice(1));
    const values = host.f32(x);
    const rows = host.i32(ids);
    const sums = new Float64Array(sizeOf(y.shape));
    for (let j = 0; j < rows.length; j++) for (let c = 0; c < width; c++) sums[rows[j]! * width + c]! += values[j * width + c]!;
    host.f32(y).set(sums);
  },
} satisfies Partial<KernelTable<Host>>;
