// The only list of ops. Forgetting a kernel for one of them is a compile error in every backend (kernel-table.ts).
export { activationBackwardOp, activationOp } from "./activation.ts";
export { attentionBackwardOp, attentionOp } from "./attention.ts";
export { castOp } from "./cast.ts";
export { concatOp } from "./concat.ts";
export { dropoutOp } from "./dropout.ts";
export {
  absOp,
  addOp,
  affineOp,
  cosOp,
  divOp,
  equalOp,
  erfOp,
  expOp,
  greaterEqualOp,
  greaterOp,
  logOp,
  maximumOp,
  minimumOp,
  mulOp,
  negOp,
  sigmoidOp,
  signOp,
  sinOp,
  sqrtOp,
  squareOp,
  subOp,
  tanhOp,
  whereOp,
} from "./elementwise.ts";
export { gatedActivationBackwardOp, gatedActivationOp } from "./gated-activation.ts";
export { gatherOp, scatterOp } from "./gather.ts";
export { indexAddOp, indexSelectOp } from "./index-select.ts";
export { linearCrossEntropyOp } from "./linear-cross-entropy.ts";
export { addmmOp, matmulOp } from "./matmul.ts";
export { permuteOp } from "./permute.ts";
export { qaddmmOp, qmatmulOp } from "./qmatmul.ts";
export { dequantizeOp, doubleQuantizeOp, qembeddingOp, quantizeOp } from "./quantize.ts";
export { argmaxOp, broadcastToOp, maxToOp, sumToOp } from "./reduce.ts";
export { rmsNormGradInputOp, rmsNormGradWeightOp, rmsNormOp } from "./rms-norm.ts";
export { ropeOp } from "./rope.ts";
export { padOp, sliceOp } from "./slice.ts";
export { logSoftmaxOp, softmaxOp } from "./softmax.ts";
