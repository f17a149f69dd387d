// The axes of a tensor in another order, copied.
import { type KernelTable, stridesOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { elements } from "./values.ts";

export const permuteKernels = {
  permute: (host, inputs, outputs, { axes }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const strides = stridesOf(x.shape);
    const steps = axes.map((axis) => strides[axis]!);
    const values = elements(host, x);
    const result = elements(host, y);
    for (let i = 0; i < result.length; i++) {
      let from = 0;
      for (let d = axes.length - 1, rest = i; d >= 0; d--) {
        const size = y.shape[d]!;
        from += (rest % size) * steps[d]!;
        rest = Math.floor(rest / size);
      }
      result[i] = values[from]!;
    }
  },
} satisfies Partial<KernelTable<Host>>;
