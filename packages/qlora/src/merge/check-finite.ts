// Whether merged weights are numbers: an adapter whose training diverged spoils the model, and that is better said than saved.
import type { DType } from "@qlora-js/core";
import { UsageError } from "../error.ts";

/** @throws UsageError with the first weight that is NaN or infinite */
export function checkFinite(module: string, dtype: DType, { buffer, byteLength }: Uint8Array<ArrayBuffer>): void {
  const bits = dtype === "f32" ? new Uint32Array(buffer, 0, byteLength / 4) : new Uint16Array(buffer, 0, byteLength / 2);
  const exponent = EXPONENTS[dtype as keyof typeof EXPONENTS];
  for (const [index, word] of bits.entries()) {
    if ((word & exponent) === exponent) {
      const what = `has a weight that is not a number after merging (element ${index}). The adapter's training diverged, or ${dtype} is too narrow.`;
      throw new UsageError(module, what, { module, index });
    }
  }
}

/** All ones in the exponent mean NaN or infinity. */
const EXPONENTS = { f32: 0x7f800000, bf16: 0x7f80, f16: 0x7c00 } as const;
