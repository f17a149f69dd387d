// A 4-bit weight in a file, as bitsandbytes stores it: the bytes are there to be read, nothing is dequantized yet.
import type { QFormat } from "@qlora-js/core";
import type { StoredTensor } from "../safetensors.ts";

/** A 4-bit weight in a file, as bitsandbytes stores it, not yet read. */
export interface PackedWeight {
  readonly format: QFormat;
  /** [out, in], also where the 16-bit file has it the other way round. */
  readonly shape: readonly [number, number];
  /** What bitsandbytes rounds the weight to when it dequantizes it. */
  readonly dtype: "f32" | "bf16" | "f16";
  /** ⌈n / 2⌉ bytes, whatever element type the file calls them. */
  readonly codes: StoredTensor;
  /** One a block: f32, or u8 where they are quantized once more. */
  readonly absmax: StoredTensor;
  /** Of the scales: f32, one for 256 of them; the 256 levels; what was subtracted from them. Null without double quantization. */
  readonly nested: { readonly absmax: StoredTensor; readonly levels: StoredTensor; readonly offset: number } | null;
}
