// Numbers that are stored as they are: F32, F16 and BF16, little-endian. All widen to f32 exactly.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readF32: BlockReader = (blocks, out) => {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(blocks);
};

export const readF16: BlockReader = (blocks, out) => {
  for (let i = 0; i < out.length; i++) out[i] = halfAt(blocks, 2 * i);
};

export const readBF16: BlockReader = (blocks, out) => {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (blocks[2 * i]! << 16) | (blocks[2 * i + 1]! << 24);
};
