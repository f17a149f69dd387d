// AdamW with moments in 8 bits (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization") on plain arrays, as bitsandbytes computes it:
// the moments are widened, the step is AdamW's own in f32, and only then are the new moments quantized again, in blocks of 256. The first moment takes the
// signed dynamic map, the second the unsigned one: 2.03 bytes a parameter instead of 8.
import { dynamicMap } from "../quant/dynamic-map.ts";
import { dequantize8Bit, type Quantized8Bit, quantize8Bit } from "../quant/quantize-8bit.ts";
import { type AdamWStep, adamWStep } from "./adamw.ts";

/** Moments that share a scale. Source: bitsandbytes optim/optimizer.py. */
export const MOMENT_BLOCK = 256;

/** Parameters with fewer elements keep f32 moments. Source: bitsandbytes optim/optimizer.py, min_8bit_size. */
export const SMALLEST_8BIT = 4096;

/** The two moments as codes of their maps, with the scale of each block. */
export interface AdamW8BitState {
  readonly m: Quantized8Bit;
  readonly v: Quantized8Bit;
}

/** The state of n parameters before the first step: all codes and all scales 0. */
export function adamW8BitState(n: number): AdamW8BitState {
  const zero = (): Quantized8Bit => ({ codes: new Uint8Array(n), absmax: new Float32Array(Math.ceil(n / MOMENT_BLOCK)) });
  return { m: zero(), v: zero() };
}

/** Nearest code, but never across zero: a small negative moment keeps its sign. Its positive twin would round to 0, which counts as positive. */
function quantizeKeepingSign(values: Float32Array, map: Float32Array): Quantized8Bit {
  const { codes, absmax } = quantize8Bit(values, map, MOMENT_BLOCK);
  for (let i = 0; i < values.length; i++) {
    const value = map[codes[i]!]!;
    if (values[i]! < 0 && value >= 0) codes[i]!--;
    else if (values[i]! > 0 && value < 0) codes[i]!++;
  }
  return { codes, absmax };
}

/**
 * Parameter and state after one step, as new arrays of the same length. An element whose gradient is NaN or infinite stays as it is, and its moments
 * become zero. Source: bitsandbytes csrc/kernels.cu, kOptimizerStatic8bit2StateBlockwise; weights decay before the step, as in its CPU path.
 * @throws ShapeError unless all lengths agree
 */
export function adamW8BitStep(
  parameter: Float32Array,
  gradient: Float32Array,
  state: AdamW8BitState,
  step: AdamWStep,
): { parameter: Float32Array } & AdamW8BitState {
  const signed = dynamicMap("signed");
  const unsigned = dynamicMap("unsigned");
  const moments = { m: dequantize8Bit(state.m, signed, MOMENT_BLOCK), v: dequantize8Bit(state.v, unsigned, MOMENT_BLOCK) };
  const next = adamWStep(parameter, gradient, moments, step);
  for (let i = 0; i < gradient.length; i++) {
    if (Number.isFinite(gradient[i])) continue;
    next.parameter[i] = parameter[i]!;
    next.m[i] = 0;
    next.v[i] = 0;
  }
  return { parameter: next.parameter, m: quantizeKeepingSign(next.m, signed), v: quantize8Bit(next.v, unsigned, MOMENT_BLOCK) };
}
