// 4-bit codes back to numbers: w = codeBook[code] · absmax of the block, one f32 product.
import { ShapeError } from "../error.ts";
import type { QFormat } from "./format.ts";
import type { QuantizedBlocks } from "./quantize-blockwise.ts";

/**
 * The n weights that codes and scales stand for, in f32.
 * @throws ShapeError if there are not ceil(n / 2) bytes of codes and ceil(n / blockSize) scales
 */
export function dequantizeBlockwise({ codes, absmax }: QuantizedBlocks, format: QFormat, n: number): Float32Array {
  const { codeBook, blockSize } = format;
  const bytes = Math.ceil(n / 2);
  const blocks = Math.ceil(n / blockSize);
  if (codes.length !== bytes || absmax.length !== blocks)
    throw new ShapeError(
      "dequantizeBlockwise",
      [[codes.length], [absmax.length]],
      `${n} weights in blocks of ${blockSize} take ${bytes} bytes of codes and ${blocks} scales, not ${codes.length} and ${absmax.length}.`,
    );
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const byte = codes[i >> 1]!;
    values[i] = codeBook[i % 2 === 0 ? byte >> 4 : byte & 15]! * absmax[Math.floor(i / blockSize)]!;
  }
  return values;
}
