// Weights that the 16-bit file has as [in, out] (GPT-2's Conv1D): bitsandbytes stores them the other way round. Here they are dequantized as the 16-bit file
// would have them; the packed bytes stay [out, in], which is how they are used.
import type { StoredTensor } from "../safetensors.ts";

/** The same tensors, packed weights among them turned. */
export const turnedWeights = (tensors: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> =>
  new Map([...tensors].map(([name, tensor]) => [name, tensor.packed ? turned(tensor) : tensor]));

function turned(stored: StoredTensor): StoredTensor {
  const [rows, columns] = stored.shape as [number, number];
  return {
    ...stored,
    shape: [columns, rows],
    async read(offset = 0, length = stored.byteLength - offset) {
      const { buffer } = await stored.read();
      const from = stored.dtype === "F32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
      const to = from.slice();
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j]!;
      return new Uint8Array(to.buffer).slice(offset, offset + length);
    },
  };
}
