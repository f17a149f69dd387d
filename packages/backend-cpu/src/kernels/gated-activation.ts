// Launchers of gated activations: chunks are tasks.
import { type Activation, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Elements of a task; an exponential and a division each, so fewer than of an addition. */
const CHUNK = 4096;

const KERNELS: Readonly<Record<Activation, readonly [forward: string, backward: string]>> = {
  relu: ["gatedRelu", "gatedReluBackward"],
  silu: ["gatedSilu", "gatedSiluBackward"],
  gelu: ["gatedGelu", "gatedGeluBackward"],
  geluTanh: ["gatedGeluTanh", "gatedGeluTanhBackward"],
};

export const gatedActivationKernels = {
  gatedActivation: (rt, [gate, up], [y], { activation }) => {
    const total = sizeOf(y!.shape);
    rt.run(KERNELS[activation][0], [rt.pointer(y!), rt.pointer(gate!), rt.pointer(up!), total, CHUNK], Math.ceil(total / CHUNK));
  },
  gatedActivationBackward: (rt, [gate, up, dy], [dGate, dUp], { activation }) => {
    const total = sizeOf(dy!.shape);
    const pointers = [dGate!, dUp!, gate!, up!, dy!].map((view) => rt.pointer(view));
    rt.run(KERNELS[activation][1], [...pointers, total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
