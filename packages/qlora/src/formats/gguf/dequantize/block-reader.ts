import { f16ToNumber } from "@qlora-js/core";

/**
 * Turns whole blocks into numbers. Every step is rounded to f32 where numpy's is, so that the bits are those of gguf-py's `dequantize`;
 * storing into `out` is the last rounding.
 * @param blocks whole blocks, one after the other
 * @param out as many numbers as the blocks hold
 */
export type BlockReader = (blocks: Uint8Array, out: Float32Array) => void;

/** The f16 at a place, little-endian. */
export const halfAt = (bytes: Uint8Array, at: number): number => f16ToNumber(bytes[at]! | (bytes[at + 1]! << 8));
