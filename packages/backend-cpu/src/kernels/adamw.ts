// Launcher of AdamW: the scalars of a step, rounded to f32 once as core's optim/adamw.ts rounds them, and chunks as tasks.
import { type AdamWAttrs, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

/** keep, gain1, keep2, gain2, rate, correction, small; WebAssembly rounds each to f32 as it is passed. */
export function adamWScalars({ learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWAttrs): number[] {
  const rate = -learningRate / (1 - beta1 ** step);
  return [1 - learningRate * weightDecay, 1 - beta1, beta2, 1 - beta2, rate, Math.sqrt(1 - beta2 ** step), epsilon];
}

export const adamWKernels = {
  adamW: (rt, inputs, _, attrs) => {
    const pointers = inputs.map((view) => rt.pointer(view));
    const total = sizeOf(inputs[0]!.shape);
    rt.run("adamW", [...pointers, ...adamWScalars(attrs), total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
