import { bf16ToNumber, f16ToNumber } from "@qlora-js/core";
import type { StoredTensor } from "../formats/safetensors.ts";

/** The values of a stored tensor of floats, widened to f32. */
export async function readFloats({ dtype, read }: StoredTensor): Promise<Float32Array> {
  const { buffer } = await read();
  if (dtype === "F32") return new Float32Array(buffer);
  return Float32Array.from(new Uint16Array(buffer), dtype === "BF16" ? bf16ToNumber : f16ToNumber);
}
