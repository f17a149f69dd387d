// Five bits a number, blocks of 32: nibbles as in Q4, and the fifth bits in a u32, bit i for element i.
//   Q5_0: d (f16), u32, 16 bytes          y = d · (q − 16)
//   Q5_1: d, m (f16), u32, 16 bytes       y = d · q + m
// Source: ggml-common.h (block_q5_0, block_q5_1), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

const wordAt = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

export const readQ5_0: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 22, to += 32) {
    const d = halfAt(blocks, at);
    const fifth = wordAt(blocks, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = blocks[at + 6 + i]!;
      out[to + i] = d * (((q & 15) | (((fifth >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (((fifth >>> (16 + i)) & 1) << 4)) - 16);
    }
  }
};

export const readQ5_1: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 24, to += 32) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    const fifth = wordAt(blocks, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = blocks[at + 8 + i]!;
      out[to + i] = Math.fround(d * ((q & 15) | (((fifth >>> i) & 1) << 4))) + m;
      out[to + 16 + i] = Math.fround(d * ((q >> 4) | (((fifth >>> (16 + i)) & 1) << 4))) + m;
    }
  }
};
