// Every kernel in WGSL, one file an op family of the same name as in core.
import type { KernelTable } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { matmulKernels } from "./matmul.ts";
import { qmatmulKernels } from "./qmatmul.ts";
import { reduceKernels } from "./reduce.ts";
import { swigluKernels } from "./swiglu.ts";

export const kernels = {
  ...elementwiseKernels,
  ...reduceKernels,
  ...matmulKernels,
  ...qmatmulKernels,
  ...swigluKernels,
} satisfies Partial<KernelTable<Gpu>>;
