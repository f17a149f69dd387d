// Element types. f32 computes; f16 and bf16 store what a checkpoint holds; i32 indexes; u8 is packed codes and flags.

/** Element types: f32 computes, f16 and bf16 store what a checkpoint holds, i32 indexes, u8 is packed codes and flags. */
export type DType = "f32" | "f16" | "bf16" | "i32" | "u8";

/** Bytes of one element. */
export const BYTES = { f32: 4, f16: 2, bf16: 2, i32: 4, u8: 1 } as const satisfies Record<DType, number>;

/** What values of a dtype are held in on the host; f16 and bf16 as their bits. */
export interface HostArrays {
  f32: Float32Array;
  f16: Uint16Array;
  bf16: Uint16Array;
  i32: Int32Array;
  u8: Uint8Array;
}
