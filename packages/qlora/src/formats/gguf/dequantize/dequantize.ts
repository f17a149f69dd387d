// From the blocks of a GGUF tensor to f32, with the bits of gguf-py's `dequantize`. One table of the types that are read; the others are refused by name.
import { UnsupportedError } from "@qlora-js/core";
import { TENSOR_TYPES, type TensorTypeName } from "../gguf-types.ts";
import type { BlockReader } from "./block-reader.ts";
import { readBF16, readF16, readF32 } from "./plain.ts";
import { readQ2K } from "./q2-k.ts";
import { readQ3K } from "./q3-k.ts";
import { readQ4_0, readQ4_1 } from "./q4-blocks.ts";
import { readQ4K } from "./q4-k.ts";
import { readQ5_0, readQ5_1 } from "./q5-blocks.ts";
import { readQ5K } from "./q5-k.ts";
import { readQ6K } from "./q6-k.ts";
import { readQ8_0 } from "./q8-blocks.ts";

const READERS: Partial<Record<TensorTypeName, BlockReader>> = {
  F32: readF32,
  F16: readF16,
  BF16: readBF16,
  Q4_0: readQ4_0,
  Q4_1: readQ4_1,
  Q5_0: readQ5_0,
  Q5_1: readQ5_1,
  Q8_0: readQ8_0,
  Q2_K: readQ2K,
  Q3_K: readQ3K,
  Q4_K: readQ4K,
  Q5_K: readQ5K,
  Q6_K: readQ6K,
};

/**
 * What reads a type's blocks.
 * @param where the file and tensor, for the error
 * @throws UnsupportedError for a type that is not read
 */
export function blockReader(where: string, type: TensorTypeName): BlockReader {
  const reader = READERS[type];
  if (reader) return reader;
  const readable = Object.keys(READERS).join(", ");
  throw new UnsupportedError(`${where}: is ${type}, which is not read. Take the model as one of ${readable}.`);
}

/**
 * The numbers of whole blocks.
 * @throws UnsupportedError for a type that is not read
 */
export function dequantize(type: TensorTypeName, blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const read = blockReader("dequantize", type);
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const numbers = new Float32Array(Math.floor(blocks.length / blockBytes) * blockSize);
  read(blocks, numbers);
  return numbers;
}
