// Q2_K: blocks of 256 in 16 groups of 16, each with a 4-bit scale and a 4-bit minimum.
//   16 bytes (scale low, minimum high), 64 bytes of codes, d, dmin (f16)       y = (d · scale) · q − (dmin · minimum)
// Codes: byte 32·h + j holds, from its lowest bits up, elements 128·h + j, + 32, + 64, + 96.
// Source: ggml-common.h (block_q2_K), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readQ2K: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 84, to += 256) {
    const d = halfAt(blocks, at + 80);
    const dmin = halfAt(blocks, at + 82);
    for (let group = 0; group < 16; group++) {
      const packed = blocks[at + group]!;
      const scale = Math.fround(d * (packed & 15));
      const minimum = Math.fround(dmin * (packed >> 4));
      const shift = 2 * ((group >> 1) & 3);
      const codes = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
      for (let j = 0; j < 16; j++) out[to + 16 * group + j] = Math.fround(scale * ((blocks[codes + j]! >> shift) & 3)) - minimum;
    }
  }
};
