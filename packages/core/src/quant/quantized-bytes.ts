// How many bytes n weights take in a format; what `plan` adds up.
import { DOUBLE_QUANT_BLOCK } from "./double-quantize.ts";
import type { QFormat } from "./format.ts";

/** Bytes of codes and of scales for n weights. Double-quantized: 1 byte a block, 4 a 256 blocks, 4 for the offset; else 4 bytes a block. */
export function quantizedBytes(format: QFormat, n: number): { readonly codes: number; readonly scales: number } {
  const blocks = Math.ceil(n / format.blockSize);
  return { codes: Math.ceil(n / 2), scales: format.doubleQuant ? blocks + 4 * Math.ceil(blocks / DOUBLE_QUANT_BLOCK) + 4 : 4 * blocks };
}
