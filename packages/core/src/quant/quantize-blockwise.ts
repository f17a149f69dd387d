// Weights to 4-bit codes and one scale a block: the plain reference, bit for bit what bitsandbytes' quantize_4bit gives without CUDA.
import type { QFormat } from "./format.ts";
import { formatLevels, type NearestRule } from "./format-levels.ts";
import { levelOf } from "./levels.ts";
import { nearestLevels } from "./nearest-levels.ts";

/** 4-bit weights with f32 scales. The layout is drawn in nf4.ts. */
export interface QuantizedBlocks {
  /** Two codes a byte, the first in the high nibble; ceil(n / 2) bytes. */
  readonly codes: Uint8Array;
  /** The largest magnitude of each block; ceil(n / blockSize). */
  readonly absmax: Float32Array;
}

/**
 * Quantizes n weights (row-major, widened to f32) block by block.
 *
 * A block of zeros gives the codes of zero. A NaN makes the whole block NaN, an infinity makes its finite weights NaN: check weights
 * before, if they may hold such numbers. Source: bitsandbytes backends/default/ops.py, quantize_4bit.
 * @param rule which of the two FP4 rules; it chooses the codes only, not how a block is scaled
 */
export function quantizeBlockwise(values: Float32Array, format: QFormat, rule: NearestRule = "cpu"): QuantizedBlocks {
  const { bounds, codes: codeOf } = formatLevels(format, rule);
  const { levels, absmax } = nearestLevels(values, format.blockSize, bounds);
  const codes = new Uint8Array(Math.ceil(values.length / 2));
  const zero = levelOf(bounds, 0); // what pads the last byte of an odd count
  for (let i = 0; i < values.length; i += 2) codes[i >> 1] = (codeOf[levels[i]!]! << 4) | codeOf[levels[i + 1] ?? zero]!;
  return { codes, absmax };
}
