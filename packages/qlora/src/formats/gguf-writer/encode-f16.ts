// f32 to f16 in bulk, rounding to nearest, ties to even. The same values as core's numberToF16, on whole arrays and by bits alone.

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The f16 bits of one f32. */
export function f16Bits(value: number): number {
  single[0] = value;
  return narrow(singleBits[0]!);
}

/** The f16 bits of each value. */
export function encodeF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = narrow(bits[i]!);
  return out;
}

function narrow(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above
  if (magnitude < 0x38800000) return sign | subnormal(magnitude); // below 2^-14
  const rebiased = magnitude - 0x38000000; // exponent bias 127 → 15
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13); // a carry goes into the exponent, and from 65520 on to infinity
}

/** Added to 0.5, whose last bit in f32 is 2^-24, a subnormal f16 is rounded to its own last bit. */
function subnormal(magnitude: number): number {
  singleBits[0] = magnitude;
  single[0] = single[0]! + 0.5;
  return singleBits[0]! - 0x3f000000;
}
