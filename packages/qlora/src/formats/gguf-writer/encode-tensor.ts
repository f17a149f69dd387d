// f32 values as the bytes of a GGUF tensor type, for the types that are written.
import { UsageError } from "../../error.ts";
import { encodeF16 } from "./encode-f16.ts";
import { quantizeQ4 } from "./quantize-q4-0.ts";
import { quantizeQ8 } from "./quantize-q8-0.ts";

/** What weights are written in. */
export type WrittenType = "F32" | "F16" | "Q8_0" | "Q4_0";

/**
 * @param name of the tensor, for errors
 * @param values whole rows
 * @throws UsageError for a value that the type cannot hold: NaN, infinity, and from 65520 on in F16
 */
export function encodeTensor(name: string, type: WrittenType, values: Float32Array): Uint8Array {
  const most = type === "F16" ? LARGEST_F16 : Number.MAX_VALUE;
  // a comparison with NaN is false
  for (const value of values) if (!(Math.abs(value) < most)) throw notHeld(name, type, value);
  switch (type) {
    case "F32":
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case "F16":
      return new Uint8Array(encodeF16(values).buffer);
    case "Q8_0":
      return quantizeQ8(values);
    case "Q4_0":
      return quantizeQ4(values);
  }
}

/** From here on f16 rounds to infinity. */
const LARGEST_F16 = 65520;

function notHeld(name: string, type: WrittenType, value: number): UsageError {
  const advice = Number.isFinite(value) ? "Write another type, such as Q8_0." : "The model is damaged, or its training diverged.";
  return new UsageError(name, `holds ${value}, which ${type} cannot. ${advice}`, { value, type });
}
