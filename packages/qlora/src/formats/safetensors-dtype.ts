// Element types of a safetensors file: their widths, the order files keep them in, and which of them are ours.
import type { DType } from "@qlora-js/core";

/**
 * Bits of one element. The order of the keys is that of safetensors 0.8's own list; a file holds them from last to first, so that wider
 * elements come first and each tensor is aligned.
 */
export const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDType = keyof typeof BITS;

const ORDER: ReadonlyMap<string, number> = new Map(Object.keys(BITS).map((name, i) => [name, i]));

export const isSafetensorsDType = (name: unknown): name is SafetensorsDType => typeof name === "string" && ORDER.has(name);

/** Where a type stands in the list: larger comes first in a file. */
export const dtypeOrder = (dtype: SafetensorsDType): number => ORDER.get(dtype)!;

const OURS: Partial<Record<SafetensorsDType, DType>> = { F32: "f32", F16: "f16", BF16: "bf16", I32: "i32", U8: "u8" };

/** The same type in core, or undefined where core has none. */
export const coreDType = (dtype: SafetensorsDType): DType | undefined => OURS[dtype];
