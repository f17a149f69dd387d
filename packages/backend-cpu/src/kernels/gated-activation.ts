// Launchers of gated activations: chunks are tasks.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { ACTIVATION_CODE } from "./activation-code.ts";

/** Elements of a task; an exponential and a division each, so fewer than of an addition. */
const CHUNK = 4096;

export const gatedActivationKernels = {
  gatedActivation: (rt, [gate, up], [y], { activation }) => {
    const total = sizeOf(y!.shape);
    const pointers = [y!, gate!, up!].map((view) => rt.pointer(view));
    rt.run("gatedActivation", [ACTIVATION_CODE[activation], ...pointers, total, CHUNK], Math.ceil(total / CHUNK));
  },
  gatedActivationBackward: (rt, [gate, up, dy], [dGate, dUp], { activation }) => {
    const total = sizeOf(dy!.shape);
    const pointers = [dGate!, dUp!, gate!, up!, dy!].map((view) => rt.pointer(view));
    rt.run("gatedActivationBackward", [ACTIVATION_CODE[activation], ...pointers, total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
