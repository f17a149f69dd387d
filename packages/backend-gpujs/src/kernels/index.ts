// Every kernel, one file an op family of the same name as in core. In the order to read them: elementwise, matmul, softmax, qmatmul, attention.
import type { KernelTable } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { accumulateKernels } from "./accumulate.ts";
import { activationKernels } from "./activation.ts";
import { adamWKernels } from "./adamw.ts";
import { adamW8bitKernels } from "./adamw-8bit.ts";
import { attentionKernels } from "./attention.ts";
import { castKernels } from "./cast.ts";
import { concatKernels } from "./concat.ts";
import { dropoutKernels } from "./dropout.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { gatedActivationKernels } from "./gated-activation.ts";
import { gatherKernels } from "./gather.ts";
import { indexSelectKernels } from "./index-select.ts";
import { linearCrossEntropyKernels } from "./linear-cross-entropy.ts";
import { matmulKernels } from "./matmul.ts";
import { permuteKernels } from "./permute.ts";
import { qmatmulKernels } from "./qmatmul.ts";
import { quantizeKernels } from "./quantize.ts";
import { reduceKernels } from "./reduce.ts";
import { rmsNormKernels } from "./rms-norm.ts";
import { ropeKernels } from "./rope.ts";
import { sliceKernels } from "./slice.ts";
import { softmaxKernels } from "./softmax.ts";
import { writeRowsKernels } from "./write-rows.ts";

export const gpuJsKernels = {
  ...accumulateKernels,
  ...activationKernels,
  ...adamWKernels,
  ...adamW8bitKernels,
  ...attentionKernels,
  ...castKernels,
  ...concatKernels,
  ...dropoutKernels,
  ...elementwiseKernels,
  ...gatedActivationKernels,
  ...gatherKernels,
  ...indexSelectKernels,
  ...linearCrossEntropyKernels,
  ...matmulKernels,
  ...permuteKernels,
  ...qmatmulKernels,
  ...quantizeKernels,
  ...reduceKernels,
  ...rmsNormKernels,
  ...ropeKernels,
  ...sliceKernels,
  ...softmaxKernels,
  ...writeRowsKernels,
} satisfies KernelTable<Gpu>;
