// Launchers of activations: chunks are tasks.
import { type Activation, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Elements of a task; an exponential and a division each, so fewer than of an addition. */
const CHUNK = 4096;

const KERNELS: Readonly<Record<Activation, readonly [forward: string, backward: string]>> = {
  relu: ["activationRelu", "activationReluBackward"],
  silu: ["activationSilu", "activationSiluBackward"],
  gelu: ["activationGelu", "activationGeluBackward"],
  geluTanh: ["activationGeluTanh", "activationGeluTanhBackward"],
};

export const activationKernels = {
  activation: (rt, [x], [y], { activation }) => {
    const total = sizeOf(y!.shape);
    rt.run(KERNELS[activation][0], [rt.pointer(y!), rt.pointer(x!), total, CHUNK], Math.ceil(total / CHUNK));
  },
  activationBackward: (rt, [x, dy], [dx], { activation }) => {
    const total = sizeOf(dx!.shape);
    rt.run(KERNELS[activation][1], [rt.pointer(dx!), rt.pointer(x!), rt.pointer(dy!), total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
