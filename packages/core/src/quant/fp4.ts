// FP4 as bitsandbytes stores it: a sign bit and three bits that look up a magnitude ("E2M1", in an order of its own, and with a smallest step
// of 1/192 where the OCP format of that name has 1/12). Reading is one table; writing has two rules, and this file holds the second:
// bitsandbytes' CUDA kernel compares magnitudes with seven literals, its CPU path signed values with the midpoints of the table.
import { makeFormat, type QFormat, type QFormatOptions } from "./format.ts";
import type { Levels } from "./levels.ts";

const MAGNITUDES = [0, 0.0625, 8, 12, 4, 6, 2, 3].map((x) => x / 12);

/** The sixteen values in order of their codes (to be rounded to f32); code 8 is a second zero. Source: bitsandbytes csrc/kernels.cu, get_4bit_type. */
const FP4_VALUES: readonly number[] = [...MAGNITUDES, 0, ...MAGNITUDES.slice(1).map((x) => -x)];

/** FP4 with the given block size, double-quantized unless said otherwise. @throws ArgumentError for a block size that is none */
export const fp4 = (options?: QFormatOptions): QFormat => makeFormat("fp4", FP4_VALUES, options);

/** Thresholds of the CUDA kernel, by magnitude; up to 14 units in the last place off the midpoints. Source: bitsandbytes csrc/kernels.cu, dQuantizeFP4. */
export const FP4_CUDA_THRESHOLDS: readonly number[] = [0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333];

/** The next f32 below a negative one: one more in the last place of the magnitude. */
function below(negative: number): number {
  const bits = new Uint32Array(Float32Array.of(negative).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}

/**
 * The CUDA rule as signed thresholds. There a tie goes to the smaller magnitude and the sign is added afterwards (x < 0 → +8), so −t itself
 * belongs to the upper side of the threshold −t, and every negative value that rounds to zero gets code 8.
 */
export function fp4CudaLevels(): Levels {
  const up = Float32Array.from(FP4_CUDA_THRESHOLDS);
  const down = up.map((t) => below(-t)).reverse();
  return {
    bounds: Float32Array.from([...down, -(2 ** -149), ...up]),
    codes: Uint8Array.of(11, 10, 13, 12, 15, 14, 9, 8, 0, 1, 6, 7, 4, 5, 2, 3),
  };
}
