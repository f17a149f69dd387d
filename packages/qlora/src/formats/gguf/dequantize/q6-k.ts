// Q6_K: blocks of 256 in 16 groups of 16, each with a signed 8-bit scale.
//   128 bytes of nibbles, 64 bytes of upper bits, 16 signed scales, d (f16)       y = (d · scale) · (q − 32)
// Nibbles: byte 64·h + j holds element 128·h + j low, element 128·h + 64 + j high. Upper bits: byte 32·h + j holds, from its lowest bits up, elements
// 128·h + j, + 32, + 64, + 96.
// Source: ggml-common.h (block_q6_K), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readQ6K: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 210, to += 256) {
    const d = halfAt(blocks, at + 208);
    for (let group = 0; group < 16; group++) {
      const half = group >> 3;
      const scale = Math.fround(d * ((blocks[at + 192 + group]! << 24) >> 24));
      const nibbles = at + 64 * half + 16 * (group & 3);
      const uppers = at + 128 + 32 * half + 16 * (group & 1);
      const nibbleShift = 4 * ((group >> 2) & 1);
      const upperShift = 2 * ((group >> 1) & 3);
      for (let j = 0; j < 16; j++) {
        const q = ((blocks[nibbles + j]! >> nibbleShift) & 15) | (((blocks[uppers + j]! >> upperShift) & 3) << 4);
        out[to + 16 * group + j] = scale * (q - 32);
      }
    }
  }
};
