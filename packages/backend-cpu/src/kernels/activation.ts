// Launchers of activations: chunks are tasks.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { ACTIVATION_CODE } from "./activation-code.ts";

/** Elements of a task; an exponential and a division each, so fewer than of an addition. */
const CHUNK = 4096;

export const activationKernels = {
  activation: (rt, [x], [y], { activation }) => {
    const total = sizeOf(y!.shape);
    rt.run("activation", [ACTIVATION_CODE[activation], rt.pointer(y!), rt.pointer(x!), total, CHUNK], Math.ceil(total / CHUNK));
  },
  activationBackward: (rt, [x, dy], [dx], { activation }) => {
    const total = sizeOf(dx!.shape);
    const pointers = [dx!, x!, dy!].map((view) => rt.pointer(view));
    rt.run("activationBackward", [ACTIVATION_CODE[activation], ...pointers, total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
