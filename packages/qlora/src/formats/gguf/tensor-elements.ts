// The numbers of a GGUF tensor in one of the types that safetensors have: those stored as numbers stay as they are, quantized ones are computed piece by piece
// as they are asked for. What is held is what was asked for and one piece.
import type { Shape } from "@qlora-js/core";
import { blockReader } from "./dequantize/dequantize.ts";
import type { GgufTensor } from "./gguf-file.ts";
import { TENSOR_TYPES } from "./gguf-types.ts";

/** A tensor of numbers, read by ranges of elements. */
export interface TensorElements {
  readonly dtype: "F32" | "F16" | "BF16";
  readonly shape: Shape;
  /** The bytes of `count` elements from `first` on, row-major; the caller keeps to what there is. */
  read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes of an element. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Elements computed at a time; a multiple of every block. */
const PIECE = 1 << 18;

/**
 * @param quantizedAs what quantized tensors become. F32 is exact; BF16 is rounded to nearest, ties to even, and takes half
 * @throws UnsupportedError for a type that is not read
 */
export function tensorElements(name: string, tensor: GgufTensor, quantizedAs: "F32" | "BF16"): TensorElements {
  const { type, shape } = tensor;
  if (type === "F32" || type === "F16" || type === "BF16") {
    const width = ELEMENT_BYTES[type];
    return { dtype: type, shape, read: (first, count) => tensor.read(first * width, count * width) };
  }
  const readBlocks = blockReader(`${tensor.file}: tensor "${name}"`, type);
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const store = quantizedAs === "F32" ? storeF32 : storeBF16;
  return {
    dtype: quantizedAs,
    shape,
    async read(first, count) {
      const out = new Uint8Array(count * ELEMENT_BYTES[quantizedAs]);
      const piece = new Float32Array(Math.min(PIECE, Math.ceil(count / blockSize + 1) * blockSize));
      for (let at = first; at < first + count; ) {
        const block = Math.floor(at / blockSize);
        const blocks = Math.min(Math.ceil((first + count) / blockSize) - block, piece.length / blockSize);
        const numbers = piece.subarray(0, blocks * blockSize);
        readBlocks(await tensor.read(block * blockBytes, blocks * blockBytes), numbers);
        const end = Math.min((block + blocks) * blockSize, first + count);
        store(numbers.subarray(at - block * blockSize, end - block * blockSize), out, at - first);
        at = end;
      }
      return out;
    },
  };
}

function storeF32(numbers: Float32Array, out: Uint8Array<ArrayBuffer>, at: number): void {
  new Float32Array(out.buffer).set(numbers, at);
}

function storeBF16(numbers: Float32Array, out: Uint8Array<ArrayBuffer>, at: number): void {
  const bits = new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length); // signed, so that the sums stay whole 32-bit numbers
  const halves = new Uint16Array(out.buffer, 2 * at, numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    halves[i] = (word & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (((word + 0x7fff) | 0) + ((word >>> 16) & 1)) >>> 16;
  }
}
