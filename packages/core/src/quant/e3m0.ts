// FP4 E3M0 of the paper's ablation: a sign bit and a three-bit exponent, so the magnitudes are 0, 1/64, 1/32, … 1. bitsandbytes has the values
// (create_fp8_map with 3 exponent bits) but cannot write them; the codes are the float's own bits. Code 8, the negative zero, is never written.
import { makeFormat, type QFormat, type QFormatOptions } from "./format.ts";

const MAGNITUDES = [0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];

/** The sixteen values in order of their codes. */
const E3M0_VALUES: readonly number[] = [...MAGNITUDES, 0, ...MAGNITUDES.slice(1).map((x) => -x)];

/** E3M0 with the given block size, double-quantized unless said otherwise. @throws ArgumentError for a block size that is none */
export const e3m0 = (options?: QFormatOptions): QFormat => makeFormat("e3m0", E3M0_VALUES, options);
