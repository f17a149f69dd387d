// Tensors one after the other along an axis: the output is rows of all inputs' rows.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { aroundAxis } from "./broadcast.ts";
import { elements } from "./values.ts";

export const concatKernels = {
  concat: (host, inputs, outputs, { axis }) => {
    const [y] = outputs as [View];
    const result = elements(host, y);
    const { outer, size, inner } = aroundAxis(y.shape, axis);
    let before = 0;
    for (const x of inputs) {
      const values = elements(host, x);
      const length = x.shape[axis]! * inner;
      for (let o = 0; o < outer; o++) result.set(values.subarray(o * length, (o + 1) * length), o * size * inner + before);
      before += length;
    }
  },
} satisfies Partial<KernelTable<Host>>;
