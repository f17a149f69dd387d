// Q8_0: blocks of 32 weights as an f16 scale d and 32 signed bytes q; a weight is d·q. Rounds as ggml's reference (gguf-py 0.19.0, quants.py): half away
// from zero, with 1/d of the f32 scale, before that is rounded to f16.
import { TENSOR_TYPES } from "../gguf/gguf-types.ts";
import { f16Bits } from "./encode-f16.ts";

const { blockSize, blockBytes } = TENSOR_TYPES.Q8_0;

/** @param values a whole number of blocks */
export function quantizeQ8(values: Float32Array): Uint8Array {
  const blocks = values.length / blockSize;
  const out = new Uint8Array(blocks * blockBytes);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const first = block * blockSize;
    let largest = 0;
    for (let i = 0; i < blockSize; i++) largest = Math.max(largest, Math.abs(values[first + i]!));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const at = block * blockBytes;
    view.setUint16(at, f16Bits(d), true);
    for (let i = 0; i < blockSize; i++) view.setInt8(at + 2 + i, awayFromZero(Math.fround(values[first + i]! * inverse)));
  }
  return out;
}

/** Rounds half away from zero, as C's roundf. */
function awayFromZero(x: number): number {
  const magnitude = Math.abs(x);
  const whole = Math.floor(magnitude);
  const rounded = whole + Math.floor(2 * (magnitude - whole));
  return x < 0 ? -rounded : rounded;
}
