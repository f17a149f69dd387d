// The axes of a tensor in another order, copied.
import type { KernelTable } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { permuted } from "./strided.ts";

export const permuteKernels = {
  permute: (gpu, [x], [y], { axes }) => gpu.give(y!, permuted(gpu, gpu.values(x!), x!.shape, axes)),
} satisfies Partial<KernelTable<Gpu>>;
