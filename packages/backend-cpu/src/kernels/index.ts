// The table of the CPU backend: WebAssembly kernels over the plain ones, which fill in what has none.
import type { KernelTable } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import type { Runtime } from "../runtime.ts";
import { attentionKernels } from "./attention.ts";
import { dropoutKernels } from "./dropout.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { linearCrossEntropyKernels } from "./linear-cross-entropy.ts";
import { rmsNormKernels } from "./rms-norm.ts";
import { ropeKernels } from "./rope.ts";
import { swigluKernels } from "./swiglu.ts";

export const kernels = {
  ...plainKernels,
  ...attentionKernels,
  ...dropoutKernels,
  ...elementwiseKernels,
  ...linearCrossEntropyKernels,
  ...rmsNormKernels,
  ...ropeKernels,
  ...swigluKernels,
} satisfies KernelTable<Runtime>;
