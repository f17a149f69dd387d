// A gated activation and its two gradients, from the activation's own programs.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";
import { CURVES } from "./activation.ts";

// y[i] = a[i]·b[i]
const times = program(function (this: Thread, a: List, b: List) {
  return a[this.thread.x]! * b[this.thread.x]!;
});

export const gatedActivationKernels = {
  // y = f(g)·u
  gatedActivation: (gpu, [g, u], [y], { activation }) => {
    const n = sizeOf(y!.shape);
    const gate = gpu.run(CURVES[activation].value, [n], [gpu.values(g!)]);
    gpu.fill(y!, times, [n], [gate, gpu.values(u!)]);
  },
  // dg = dy·u·f′(g)     du = dy·f(g)
  gatedActivationBackward: (gpu, [g, u, dy], [dg, du], { activation }) => {
    const n = sizeOf(g!.shape);
    const { value, slope } = CURVES[activation];
    const arriving = gpu.run(times, [n], [gpu.values(dy!), gpu.values(u!)]);
    const gate = gpu.run(value, [n], [gpu.values(g!)]);
    const ofUp = gpu.run(times, [n], [gpu.values(dy!), gate]);
    gpu.fill(dg!, slope, [n], [gpu.values(g!), arriving]);
    gpu.give(du!, ofUp);
  },
} satisfies Partial<KernelTable<Gpu>>;
