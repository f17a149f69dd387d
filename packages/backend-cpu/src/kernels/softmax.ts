// Launchers of softmax and logSoftmax: rows are tasks.
import { type Kernel, type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Elements of a task; an exponential each. */
const CHUNK = 4096;

const byRow =
  (kernel: string): Kernel<Runtime, Record<never, never>> =>
  (rt, [x], [y]) => {
    const n = x!.shape.at(-1) ?? 1;
    const rows = sizeOf(x!.shape.slice(0, -1));
    rt.run(kernel, [rt.pointer(y!), rt.pointer(x!), n], rows, Math.max(1, Math.floor(CHUNK / Math.max(n, 1))));
  };

export const softmaxKernels = { softmax: byRow("softmax"), logSoftmax: byRow("logSoftmax") } satisfies Partial<KernelTable<Runtime>>;
