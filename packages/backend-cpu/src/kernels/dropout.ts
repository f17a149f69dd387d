// Launcher of dropout: chunks are tasks. The rate becomes a whole number of 2⁻²⁴, which says the same of numbers with 24 bits.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Elements of a task, a multiple of the 16 that one step of the generator makes. */
const CHUNK = 4096;

export const dropoutKernels = {
  dropout: (rt, [x], [y], { rate, key }) => {
    const total = sizeOf(y!.shape);
    const threshold = Math.ceil(rate * 2 ** 24);
    rt.run("dropout", [rt.pointer(y!), rt.pointer(x!), key.k0, key.k1, threshold, 1 / (1 - rate), total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
