// The table of the CPU backend: WebAssembly kernels over the plain ones, which fill in what has none.
import type { KernelTable } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import type { Runtime } from "../runtime.ts";

export const kernels = {
  ...plainKernels,
} satisfies KernelTable<Runtime>;
