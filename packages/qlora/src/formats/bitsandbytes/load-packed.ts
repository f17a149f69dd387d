// A packed weight onto a device, byte for byte: nothing is computed, nothing quantized anew.
import { type Backend, empty, fromBytes, QTensor, type Tensor, tensor } from "@qlora-js/core";
import { readPackedScales } from "./packed-scales.ts";
import type { PackedWeight } from "./packed-weight.ts";

/** Bytes of codes read at a time. */
const CHUNK_BYTES = 4 << 20;

/** @throws FormatError if a scale is not a number; OutOfMemoryError */
export async function loadPacked(backend: Backend, packed: PackedWeight): Promise<QTensor> {
  const { format, shape, codes: stored } = packed;
  const made: Tensor[] = [];
  const keep = (t: Tensor): Tensor => {
    made.push(t);
    return t;
  };
  try {
    const scales = await readPackedScales(packed);
    const codes = keep(empty(backend, [stored.byteLength], "u8"));
    for (let offset = 0; offset < stored.byteLength; offset += CHUNK_BYTES)
      backend.write(codes.storage.buffer, await stored.read(offset, Math.min(CHUNK_BYTES, stored.byteLength - offset)), offset);
    const absmax = keep(tensor(backend, scales.absmax));
    if (scales.kind === "plain") return new QTensor(format, shape, codes, { kind: "plain", absmax });
    const absmaxCodes = keep(fromBytes(backend, scales.codes, [scales.codes.length], "u8"));
    const offset = keep(tensor(backend, [scales.offset], []));
    return new QTensor(format, shape, codes, { kind: "double", codes: absmaxCodes, absmax, offset });
  } catch (error) {
    for (const t of made) t.dispose();
    throw error;
  }
}
