// A tensor whose bytes are made when they are read.
import type { StoredTensor } from "../safetensors.ts";

/** @param file the one it is made from, for errors */
export function computedTensor(
  file: string,
  dtype: "F32" | "U8",
  shape: readonly number[],
  bytes: () => Promise<Uint8Array>,
): StoredTensor {
  const byteLength = shape.reduce((n, d) => n * d, dtype === "F32" ? 4 : 1);
  return {
    file,
    dtype,
    shape,
    byteLength,
    read: async (offset = 0, length = byteLength - offset) => new Uint8Array((await bytes()).subarray(offset, offset + length)),
  };
}
