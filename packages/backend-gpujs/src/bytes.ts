// Between bytes, which buffers are to everybody else, and numbers, which they are here: every value is one f32 number on the device, whatever its dtype.
// That is exact for f32, for f16 and bf16 (both are f32 with fewer bits), for u8, and for i32 up to 2²⁴: ids, positions, lengths.
import { bf16ToNumber, type DType, f16ToNumber, numberToBf16, numberToF16 } from "@qlora-js/core";

/** The values of bytes as numbers. `bytes` is kept, not copied, where they are f32 already. */
export function numbersOf(bytes: Uint8Array<ArrayBuffer>, dtype: DType): Float32Array {
  switch (dtype) {
    case "f32":
      return new Float32Array(bytes.buffer);
    case "i32":
      return Float32Array.from(new Int32Array(bytes.buffer));
    case "u8":
      return Float32Array.from(bytes);
    case "f16":
      return Float32Array.from(new Uint16Array(bytes.buffer), f16ToNumber);
    case "bf16":
      return Float32Array.from(new Uint16Array(bytes.buffer), bf16ToNumber);
  }
}

/** The bytes of numbers, which are values of the dtype already: nothing but 2³¹, the f32 next to the largest i32, is rounded. */
export function bytesOf(numbers: Float32Array, dtype: DType): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case "f32":
      return new Uint8Array(numbers.slice().buffer);
    case "i32":
      return new Uint8Array(Int32Array.from(numbers, (value) => Math.min(value, 2 ** 31 - 1)).buffer);
    case "u8":
      return Uint8Array.from(numbers);
    case "f16":
      return new Uint8Array(Uint16Array.from(numbers, numberToF16).buffer);
    case "bf16":
      return new Uint8Array(Uint16Array.from(numbers, numberToBf16).buffer);
  }
}
