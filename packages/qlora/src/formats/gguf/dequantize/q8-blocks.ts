// Eight bits a number, blocks of 32: d (f16), 32 signed bytes; y = d · q. Source: ggml-common.h (block_q8_0), gguf-py quants.py.
import { type BlockReader, halfAt } from "./block-reader.ts";

export const readQ8_0: BlockReader = (blocks, out) => {
  for (let at = 0, to = 0; to < out.length; at += 34, to += 32) {
    const d = halfAt(blocks, at);
    for (let i = 0; i < 32; i++) out[to + i] = d * ((blocks[at + 2 + i]! << 24) >> 24);
  }
};
