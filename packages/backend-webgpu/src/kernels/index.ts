// Every kernel in WGSL, one file an op family of the same name as in core.
import type { KernelTable } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { swigluKernels } from "./swiglu.ts";

export const kernels = {
  ...elementwiseKernels,
  ...swigluKernels,
} satisfies Partial<KernelTable<Gpu>>;
