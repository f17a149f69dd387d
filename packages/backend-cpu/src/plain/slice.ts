// A part of one axis, and zeros around one axis.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { aroundAxis } from "./broadcast.ts";
import { elements } from "./values.ts";

export const sliceKernels = {
  slice: (host, inputs, outputs, { axis, start, size }) => {
    const [x] = inputs as [View];
    const { outer, size: whole, inner } = aroundAxis(x.shape, axis);
    const values = elements(host, x);
    const result = elements(host, outputs[0]!);
    for (let o = 0; o < outer; o++) {
      const from = (o * whole + start) * inner;
      result.set(values.subarray(from, from + size * inner), o * size * inner);
    }
  },
  pad: (host, inputs, outputs, { axis, before, after }) => {
    const [x] = inputs as [View];
    const { outer, size, inner } = aroundAxis(x.shape, axis);
    const whole = before + size + after;
    const values = elements(host, x);
    const result = elements(host, outputs[0]!).fill(0);
    for (let o = 0; o < outer; o++) result.set(values.subarray(o * size * inner, (o + 1) * size * inner), (o * whole + before) * inner);
  },
} satisfies Partial<KernelTable<Host>>;
