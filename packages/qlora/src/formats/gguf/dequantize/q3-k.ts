// Q3_K: blocks of 256 in 16 groups of 16, each with a signed 6-bit scale.
//   32 bytes of third bits, 64 bytes of codes (as in Q2_K), 12 bytes of scales, d (f16)       y = (d · (scale − 32)) · (q − 4 unless the third bit is set)
// Third bits: bit i of byte j is element 32·i + j. Scales: the low nibble of group g is in byte g mod 8 (low half for g < 8), its upper two bits in byte 8 + g mod 4.
// Source: ggml-common.h (block_q3_K), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readQ3K: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 110, to += 256) {
    const d = halfAt(blocks, at + 108);
    for (let group = 0; group < 16; group++) {
      const low = (blocks[at + 96 + (group & 7)]! >> (4 * (group >> 3))) & 15;
      const high = (blocks[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
      const scale = Math.fround(d * ((low | (high << 4)) - 32));
      const shift = 2 * ((group >> 1) & 3);
      const codes = at + 32 + 32 * (group >> 3) + 16 * (group & 1);
      const thirds = at + 16 * (group & 1);
      const bit = group >> 1;
      for (let j = 0; j < 16; j++) {
        const third = (blocks[thirds + j]! >> bit) & 1;
        out[to + 16 * group + j] = scale * (((blocks[codes + j]! >> shift) & 3) - (third ? 0 : 4));
      }
    }
  }
};
