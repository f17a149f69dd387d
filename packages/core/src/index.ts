// What the package offers. No logic.
export type { Backend, DeviceBuffer, Limits, MemoryUse, View } from "./backend.ts";
export { type CheckpointOptions, checkpoint } from "./checkpoint.ts";
export { BYTES, type DType, type HostArrays } from "./dtype.ts";
export * from "./error.ts";
export { FrozenPager } from "./frozen-pager.ts";
export { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from "./half.ts";
export type { Kernel, KernelTable, OpName, UpdateName } from "./kernel-table.ts";
export { LiveBuffers } from "./live-buffers.ts";
export { isTracked, type Spec } from "./op.ts";
export { type Activation, type ActivationAttrs, gelu, geluTanh, relu, silu } from "./ops/activation.ts";
export { type AttentionAttrs, type AttentionOptions, attention } from "./ops/attention.ts";
export { cast } from "./ops/cast.ts";
export { concat } from "./ops/concat.ts";
export { crossEntropy } from "./ops/cross-entropy.ts";
export { type DropoutAttrs, dropout } from "./ops/dropout.ts";
export {
  abs,
  add,
  addScalar,
  affine,
  cos,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  scale,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./ops/elementwise.ts";
export { gatedActivation, geglu, swiglu } from "./ops/gated-activation.ts";
export { gather, scatter } from "./ops/gather.ts";
export { embedding, indexAdd, indexSelect } from "./ops/index-select.ts";
export { layerNorm } from "./ops/layer-norm.ts";
export { type LinearCrossEntropyAttrs, type LinearCrossEntropyOptions, linearCrossEntropy } from "./ops/linear-cross-entropy.ts";
export { addmm, type MatmulAttrs, type MatmulOptions, matmul } from "./ops/matmul.ts";
export { permute, transpose } from "./ops/permute.ts";
export { type QmatmulAttrs, qaddmm, qmatmul } from "./ops/qmatmul.ts";
export { dequantize, type FormatAttrs, qembedding, quantize } from "./ops/quantize.ts";
export { argmax, broadcastTo, max, mean, type ReduceOptions, sum, sumTo } from "./ops/reduce.ts";
export { reshape } from "./ops/reshape.ts";
export { type RmsNormAttrs, rmsNorm } from "./ops/rms-norm.ts";
export { rope } from "./ops/rope.ts";
export { pad, slice, split } from "./ops/slice.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { type AdamWState, type AdamWStep, adamWStep } from "./optim/adamw.ts";
export { type AdamW8BitState, adamW8BitState, adamW8BitStep, MOMENT_BLOCK, SMALLEST_8BIT } from "./optim/adamw-8bit.ts";
export { clipCoefficient, gradientNorm } from "./optim/clip.ts";
export { type Schedule, type ScheduleOptions, scheduleFactor } from "./optim/schedule.ts";
export { Page, Pager, type PagerCounters, type PagerOptions } from "./pager.ts";
export { QTensor, type Scales } from "./qtensor.ts";
export { dequantizeBlockwise } from "./quant/dequantize-blockwise.ts";
export { type DoubleQuantized, doubleQuantize, undoDoubleQuantize } from "./quant/double-quantize.ts";
export { dynamicMap } from "./quant/dynamic-map.ts";
export { e3m0 } from "./quant/e3m0.ts";
export { BLOCK_SIZES, type QFormat, type QFormatName, type QFormatOptions } from "./quant/format.ts";
export { formatLevels, type NearestRule } from "./quant/format-levels.ts";
export { fp4 } from "./quant/fp4.ts";
export { int4 } from "./quant/int4.ts";
export { type Levels, levelOf, midpoints } from "./quant/levels.ts";
export { namedFormat } from "./quant/named-format.ts";
export { nf4 } from "./quant/nf4.ts";
export { dequantize8Bit, type Quantized8Bit, quantize8Bit } from "./quant/quantize-8bit.ts";
export { type QuantizedBlocks, quantizeBlockwise } from "./quant/quantize-blockwise.ts";
export { bitsAt, fold, key, normal, type RandomKey, threefry, uniform, uniformAt } from "./random.ts";
export { noGrad, scope } from "./scope.ts";
export { broadcastShapes, normalizeAxis, type Shape, sameShape, show, sizeOf, stridesOf } from "./shape.ts";
export { type GradOptions, grad } from "./tape.ts";
export { empty, fromBytes, parameter, Tensor, tensor, zeros } from "./tensor.ts";
export { accumulate } from "./updates/accumulate.ts";
export { type AdamWAttrs, adamW } from "./updates/adamw.ts";
export { adamW8bit } from "./updates/adamw-8bit.ts";
export { writeRows } from "./updates/write-rows.ts";
