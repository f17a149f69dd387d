// The arithmetic that every blockwise quantizer shares: scale a block by its largest magnitude, then find each number's level. This is the path of
// bitsandbytes without CUDA (backends/default/ops.py), f32 step by step: a full block is multiplied by the reciprocal, a short last one divided,
// and the two differ in the last place. NaN anywhere in a block makes its scale NaN; an infinity makes the scale infinite and 0 · ∞ = NaN.
import { levelOf } from "./levels.ts";

/** Keeps 1 / absmax finite. A short last block stores it as its scale when it is all zero; a full one stores 0. */
const TINY = Math.fround(1e-38);

/**
 * The level of every value and the scale of every block.
 * @param values n numbers
 * @param bounds ascending thresholds on [−1, 1], at most 255
 * @returns levels u8[n], absmax f32[ceil(n / blockSize)]
 */
export function nearestLevels(values: Float32Array, blockSize: number, bounds: Float32Array): { levels: Uint8Array; absmax: Float32Array } {
  const levels = new Uint8Array(values.length);
  const absmax = new Float32Array(Math.ceil(values.length / blockSize));
  for (let block = 0; block < absmax.length; block++) {
    const start = block * blockSize;
    const end = Math.min(start + blockSize, values.length);
    const full = end - start === blockSize;
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!)); // NaN stays
    const divisor = Math.max(largest, TINY);
    const reciprocal = Math.fround(1 / divisor);
    absmax[block] = full ? largest : divisor;
    for (let i = start; i < end; i++) {
      const scaled = Math.fround(full ? values[i]! * reciprocal : values[i]! / divisor);
      levels[i] = levelOf(bounds, Math.min(Math.max(scaled, -1), 1));
    }
  }
  return { levels, absmax };
}
