// y ← y + x
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";

export const accumulateKernels = {
  accumulate: (host, inputs, outputs) => {
    const [, x] = inputs as [View, View];
    const values = host.f32(x);
    const total = host.f32(outputs[0]!);
    for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
  },
} satisfies Partial<KernelTable<Host>>;
