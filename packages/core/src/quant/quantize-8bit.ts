// Numbers to 8-bit codes of a 256-value map with one scale a block, and back: what the scales of double quantization and the moments of the 8-bit
// optimizer are stored in. A tie between two values goes to the lower one, as in bitsandbytes without CUDA.
import { ShapeError } from "../error.ts";
import { midpoints } from "./levels.ts";
import { nearestLevels } from "./nearest-levels.ts";

/** 8-bit numbers with f32 scales. */
export interface Quantized8Bit {
  /** One code a number. */
  readonly codes: Uint8Array;
  /** The largest magnitude of each block. */
  readonly absmax: Float32Array;
}

/**
 * Quantizes n numbers against an ascending map of 256 values on [−1, 1] (dynamic-map.ts).
 * Source: bitsandbytes backends/default/ops.py, quantize_blockwise.
 */
export function quantize8Bit(values: Float32Array, map: Float32Array, blockSize: number): Quantized8Bit {
  const { levels, absmax } = nearestLevels(values, blockSize, midpoints(map));
  return { codes: levels, absmax };
}

/**
 * The numbers that codes and scales stand for: map[code] · absmax of the block, one f32 product.
 * @throws ShapeError if there is not one scale a block
 */
export function dequantize8Bit({ codes, absmax }: Quantized8Bit, map: Float32Array, blockSize: number): Float32Array {
  const blocks = Math.ceil(codes.length / blockSize);
  if (absmax.length !== blocks)
    throw new ShapeError(
      "dequantize8Bit",
      [[codes.length], [absmax.length]],
      `${codes.length} codes in blocks of ${blockSize} take ${blocks} scales, not ${absmax.length}.`,
    );
  return Float32Array.from(codes, (code, i) => map[code]! * absmax[Math.floor(i / blockSize)]!);
}
