// Q5_K: Q4_K with a fifth bit.
//   d, dmin (f16), 12 bytes of scales and minima, 32 bytes of fifth bits, 128 bytes of nibbles       y = (d · scale) · q − (dmin · minimum)
// Fifth bits: bit g of byte j is element 32·g + j.
// Source: ggml-common.h (block_q5_K), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";
import { kMinimum, kScale } from "./k-scales.ts";

export const readQ5K: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 176, to += 256) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const scale = Math.fround(d * kScale(blocks, at + 4, group));
      const minimum = Math.fround(dmin * kMinimum(blocks, at + 4, group));
      const codes = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let j = 0; j < 32; j++) {
        const fifth = (blocks[at + 16 + j]! >> group) & 1;
        out[to + 32 * group + j] = Math.fround(scale * (((blocks[codes + j]! >> shift) & 15) | (fifth << 4))) - minimum;
      }
    }
  }
};
