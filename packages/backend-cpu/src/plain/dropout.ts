// y[i] = uniformAt(key, i) < rate ? 0 : x[i] / (1 − rate)
import { type KernelTable, uniformAt, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";

export const dropoutKernels = {
  dropout: (host, inputs, outputs, { rate, key }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const values = host.f32(x);
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = uniformAt(key, i) < rate ? 0 : values[i]! / (1 - rate);
  },
} satisfies Partial<KernelTable<Host>>;
