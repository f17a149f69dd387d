// Q4_K: blocks of 256 in 8 groups of 32, each with a 6-bit scale and a 6-bit minimum.
//   d, dmin (f16), 12 bytes of scales and minima, 128 bytes of codes       y = (d · scale) · q − (dmin · minimum)
// Codes: byte 32·c + j holds element 64·c + j in its low nibble, element 64·c + 32 + j in its high one.
// Source: ggml-common.h (block_q4_K), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";
import { kMinimum, kScale } from "./k-scales.ts";

export const readQ4K: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 144, to += 256) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const scale = Math.fround(d * kScale(blocks, at + 4, group));
      const minimum = Math.fround(dmin * kMinimum(blocks, at + 4, group));
      const codes = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let j = 0; j < 32; j++) out[to + 32 * group + j] = Math.fround(scale * ((blocks[codes + j]! >> shift) & 15)) - minimum;
    }
  }
};
