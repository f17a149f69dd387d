// Head and loss in one, a row at a time: the logits of one row are all that ever exists of them.
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { capped, slope } from "./soft-cap.ts";
import { shiftedSum } from "./softmax.ts";
import { numbers } from "./values.ts";

export const linearCrossEntropyKernels = {
  // z = x·Wᵀ, or capped     loss = ln Σ_v e^z[v] − z[target]     u = Σ_v softmax(z)[v]·z'[v]·W[v] − z'[target]·W[target], with z' what the cap's slope is there
  linearCrossEntropy: (host, inputs, outputs, { withGradient, softcap }) => {
    const [x, weight, targets] = inputs as [View, View, View];
    const [loss, gradients] = outputs as [View, View];
    const [rows, n] = x.shape as [number, number];
    const vocabulary = weight.shape[0]!;
    const xs = host.f32(x);
    const w = numbers(host, weight);
    const target = host.i32(targets);
    const losses = host.f32(loss);
    const u = host.f32(gradients);
    const z = new Float64Array(vocabulary);
    for (let r = 0; r < rows; r++) {
      for (let v = 0; v < vocabulary; v++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += xs[r * n + i]! * w[v * n + i]!;
        z[v] = capped(sum, softcap);
      }
      const { largest, sum: exponentials } = shiftedSum(z);
      losses[r] = largest - z[target[r]!]! + Math.log(exponentials);
      if (!withGradient) continue;
      const row = new Float64Array(n);
      for (let v = 0; v < vocabulary; v++) {
        const p = Math.exp(z[v]! - largest) / exponentials - (v === target[r] ? 1 : 0);
        const gradient = p * slope(z[v]!, softcap);
        for (let i = 0; i < n; i++) row[i]! += gradient * w[v * n + i]!;
      }
      u.set(row, r * n);
    }
  },
} satisfies Partial<KernelTable<Host>>;
