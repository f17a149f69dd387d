// Q4_0: blocks of 32 weights as an f16 scale d and 32 codes q of four bits; a weight is d·(q - 8). The weight of largest magnitude, whatever its sign,
// becomes code 0. Byte i holds code i in its low half and code i + 16 in its high half. Rounds as ggml's reference (gguf-py 0.19.0, quants.py).
import { TENSOR_TYPES } from "../gguf/gguf-types.ts";
import { f16Bits } from "./encode-f16.ts";

const { blockSize, blockBytes } = TENSOR_TYPES.Q4_0;
const HALF = blockSize / 2;

/** @param values a whole number of blocks */
export function quantizeQ4(values: Float32Array): Uint8Array {
  const blocks = values.length / blockSize;
  const out = new Uint8Array(blocks * blockBytes);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const first = block * blockSize;
    const d = Math.fround(ofLargestMagnitude(values, first) / -8);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const at = block * blockBytes;
    view.setUint16(at, f16Bits(d), true);
    for (let i = 0; i < HALF; i++) out[at + 2 + i] = code(values[first + i]!, inverse) | (code(values[first + HALF + i]!, inverse) << 4);
  }
  return out;
}

/** The first of a block's values with the largest magnitude, with its sign. */
function ofLargestMagnitude(values: Float32Array, first: number): number {
  let found = values[first]!;
  for (let i = first + 1; i < first + blockSize; i++) if (Math.abs(values[i]!) > Math.abs(found)) found = values[i]!;
  return found;
}

const code = (value: number, inverse: number): number => Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)));
