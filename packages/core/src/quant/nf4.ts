// NF4, the 4-bit NormalFloat: sixteen numbers that cut a normal distribution into parts of about equal weight, with an exact zero.
// All sixteen are f32 constants of the format; normal-map.ts shows where they come from. Bytes of n weights, the same for every 4-bit format:
//
//   codes    ceil(n / 2) bytes       byte j:   7 6 5 4 | 3 2 1 0      weights run row-major over the flattened [out, in] matrix
//                                              w[2j]   | w[2j+1]      (n odd: the last low nibble is padding, the code of 0)
//   scales   one a block of B weights, the last block may be short
//     plain             absmax       f32[ceil(n / B)]
//     double-quantized  absmaxCodes  u8[ceil(n / B)]    absmax2  f32[ceil(n / B / 256)]    offset  f32
//
//   w[i] ≈ codeBook[code of i] · absmax[i div B]        absmax[b] ≈ map[absmaxCodes[b]] · absmax2[b div 256] + offset
import { makeFormat, type QFormat, type QFormatOptions } from "./format.ts";

/** The sixteen values in order of their codes, exact in f32. Source: bitsandbytes csrc/kernels.cu, and Appendix E of the QLoRA paper. */
const NF4_VALUES: readonly number[] = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
  0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
  0.7229568362236023, 1,
];

/** NF4 with the given block size, double-quantized unless said otherwise. @throws ArgumentError for a block size that is none */
export const nf4 = (options?: QFormatOptions): QFormat => makeFormat("nf4", NF4_VALUES, options);
