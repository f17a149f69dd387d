// Double quantization: the scales of 4-bit blocks, all positive and alike, lose their mean and are then quantized themselves, to 8 bits in blocks of 256.
// At block size 64 a weight takes 4.127 bits instead of 4.5 (paper §3). `offset` is that mean, one number a tensor.
import { dynamicMap } from "./dynamic-map.ts";
import { dequantize8Bit, quantize8Bit } from "./quantize-8bit.ts";
import type { QuantizedBlocks } from "./quantize-blockwise.ts";

/** Scales that share one scale of their own. */
export const DOUBLE_QUANT_BLOCK = 256;

/** 4-bit weights with 8-bit scales. The layout is drawn in nf4.ts. */
export interface DoubleQuantized {
  readonly codes: Uint8Array;
  /** One a block of weights, an index into the signed dynamic map. */
  readonly absmaxCodes: Uint8Array;
  /** One a block of 256 scales. */
  readonly absmax2: Float32Array;
  /** An f32 number. */
  readonly offset: number;
}

/** The mean of the scales, summed in f64 and rounded to f32; 0 of none. The last bit of bitsandbytes' own depends on torch's order of summation. */
export function meanAbsmax(absmax: Float32Array): number {
  let sum = 0;
  for (const scale of absmax) sum += scale;
  return absmax.length === 0 ? 0 : Math.fround(sum / absmax.length);
}

/**
 * Quantizes the scales. Source: bitsandbytes functional.py, quantize_4bit with compress_statistics.
 * @param offset taken from every scale; only to repeat the bytes of a file does it differ from the mean
 */
export function doubleQuantize({ codes, absmax }: QuantizedBlocks, offset = meanAbsmax(absmax)): DoubleQuantized {
  const centred = absmax.map((scale) => scale - offset);
  const nested = quantize8Bit(centred, dynamicMap("signed"), DOUBLE_QUANT_BLOCK);
  return { codes, absmaxCodes: nested.codes, absmax2: nested.absmax, offset };
}

/**
 * The scales back in f32: map[code] · absmax2 + offset, rounded after each of the two.
 * @throws ShapeError if there is not one absmax2 for every 256 scales
 */
export function undoDoubleQuantize({ codes, absmaxCodes, absmax2, offset }: DoubleQuantized): QuantizedBlocks {
  const centred = dequantize8Bit({ codes: absmaxCodes, absmax: absmax2 }, dynamicMap("signed"), DOUBLE_QUANT_BLOCK);
  return { codes, absmax: centred.map((scale) => scale + offset) };
}
