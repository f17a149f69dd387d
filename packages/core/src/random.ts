// Random numbers as a pure function of (key, element): no state to carry, save or share between threads. A key is folded from seed, step, layer and site,
// so a mask is the same under recomputation, on resume, and on every backend. The function is Threefry-2x32 with 20 rounds
// (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): additions, rotations and xors of 32-bit words, which WGSL and SIMD have.

/** A 64-bit key as two unsigned 32-bit words. */
export interface RandomKey {
  readonly k0: number;
  readonly k1: number;
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** One block: two unsigned 32-bit words from a key and a 64-bit counter given as two words. */
export function threefry({ k0, k1 }: RandomKey, c0: number, c1: number): [number, number] {
  const key = [k0 | 0, k1 | 0, (k0 ^ k1 ^ PARITY) | 0];
  let x0 = (c0 + key[0]!) | 0;
  let x1 = (c1 + key[1]!) | 0;
  for (let group = 1; group <= 5; group++) {
    for (let i = 0; i < 4; i++) {
      const r = ROTATIONS[((group - 1) % 2) * 4 + i]!;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    }
    x0 = (x0 + key[group % 3]!) | 0;
    x1 = (x1 + key[(group + 1) % 3]! + group) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** The key of a seed, a whole number up to 2⁵³. */
export const key = (seed: number): RandomKey => ({ k0: Math.floor(seed / 2 ** 32) >>> 0, k1: seed >>> 0 });

/** A new key from a key and a whole number: the stream of step n, layer n, site n. */
export function fold(from: RandomKey, n: number): RandomKey {
  const [k0, k1] = threefry(from, Math.floor(n / 2 ** 32) >>> 0, n >>> 0);
  return { k0, k1 };
}

/** 32 random bits for element i: word i mod 2 of block ⌊i / 2⌋. */
export const bitsAt = (from: RandomKey, i: number): number => threefry(from, Math.floor(i / 2) >>> 0, 0)[i % 2]!;

/** A number in [0, 1) with 24 random bits, exact in f32. */
export const uniformAt = (from: RandomKey, i: number): number => (bitsAt(from, i) >>> 8) * 2 ** -24;

/** n numbers in [low, high): the same for the same key. */
export function uniform(from: RandomKey, n: number, low = 0, high = 1): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => low + (high - low) * uniformAt(from, i));
}

/** n numbers of the normal distribution with mean 0 and the given deviation (Box–Muller, one pair of words an element). */
export function normal(from: RandomKey, n: number, deviation = 1): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    const [a, b] = threefry(from, i, 1);
    return deviation * Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * b) / 2 ** 32);
  });
}
