// Four bits a number, blocks of 32. Element i of the first half is the low nibble of byte i, of the second half the high one.
//   Q4_0: d (f16), 16 bytes          y = d · (q − 8)
//   Q4_1: d, m (f16), 16 bytes       y = d · q + m
// Source: ggml-common.h (block_q4_0, block_q4_1), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readQ4_0: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 18, to += 32) {
    const d = halfAt(blocks, at);
    for (let i = 0; i < 16; i++) {
      const q = blocks[at + 2 + i]!;
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }
};

export const readQ4_1: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 20, to += 32) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = blocks[at + 4 + i]!;
      out[to + i] = Math.fround(d * (q & 15)) + m;
      out[to + 16 + i] = Math.fround(d * (q >> 4)) + m;
    }
  }
};
