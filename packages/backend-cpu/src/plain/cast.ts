// The same values in another element type.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { elements, NARROW, numbers } from "./values.ts";

export const castKernels = {
  cast: (host, inputs, outputs, { dtype }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const values = numbers(host, x);
    const result = dtype === "f32" ? host.f32(y) : elements(host, y);
    for (let i = 0; i < result.length; i++) result[i] = NARROW[dtype](values[i]!);
  },
} satisfies Partial<KernelTable<Host>>;
