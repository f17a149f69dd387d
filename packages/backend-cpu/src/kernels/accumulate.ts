// y ← y + x is the elementwise sum, with its output in place of its first input.
import type { KernelTable } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { runBinary } from "./elementwise.ts";

export const accumulateKernels = {
  accumulate: (rt, [y, x]) => runBinary(rt, "add", [y!, x!], y!),
} satisfies Partial<KernelTable<Runtime>>;
