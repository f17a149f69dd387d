// Launchers of SwiGLU: chunks are tasks.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Elements of a task; an exponential and a division each, so fewer than of an addition. */
const CHUNK = 4096;

export const swigluKernels = {
  swiglu: (rt, [gate, up], [y]) => {
    const total = sizeOf(y!.shape);
    rt.run("swiglu", [rt.pointer(y!), rt.pointer(gate!), rt.pointer(up!), total, CHUNK], Math.ceil(total / CHUNK));
  },
  swigluBackward: (rt, [gate, up, dy], [dGate, dUp]) => {
    const total = sizeOf(dy!.shape);
    const pointers = [dGate!, dUp!, gate!, up!, dy!].map((view) => rt.pointer(view));
    rt.run("swigluBackward", [...pointers, total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
