// y ← y + x
import type { KernelTable } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { plus } from "./plus.ts";

export const accumulateKernels = {
  accumulate: (gpu, [y, x], [total]) => gpu.give(total!, plus(gpu, y!, gpu.values(x!), y!.shape)),
} satisfies Partial<KernelTable<Gpu>>;
