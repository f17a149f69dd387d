/**
 * Turns whole blocks into numbers. Every step is rounded to f32 where numpy's is, so that the bits are those of gguf-py's `dequantize`;
 * storing into `out` is the last rounding.
 * @param blocks whole blocks, one after the other
 * @param out as many numbers as the blocks hold
 */
export type BlockReader = (blocks: Uint8Array, out: Float32Array) => void;

/** 2^(e − 25) for each exponent e of an f16 above 0, with its hidden bit: (1024 + m) · 2^(e − 25). */
const STEPS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));

/** The f16 at a place, little-endian. The same as core's `f16ToNumber`, many millions of times. */
export function halfAt(bytes: Uint8Array, at: number): number {
  const bits = bytes[at]! | (bytes[at + 1]! << 8);
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : bits & 0x8000 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * STEPS[exponent]!;
  return bits & 0x8000 ? -magnitude : magnitude;
}
