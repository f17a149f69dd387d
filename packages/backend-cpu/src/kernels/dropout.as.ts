// Dropout with core's numbers (random.ts): element i gets word i mod 2 of Threefry-2x32 at counter (⌊i/2⌋, 0). Eight counters at a time, in two vectors
// side by side, since each round waits for the one before.

/** The bits of q turned left by r, and those of p exclusive-or'ed in. */
@inline
function turned(q: v128, r: i32, p: v128): v128 {
  return v128.xor(v128.or(i32x4.shl(q, r), i32x4.shr_u(q, 32 - r)), p);
}

/**
 * y[i] = (word(i) >>> 8) < threshold ? 0 : x[i]·keep, for i in chunks [begin, end) of `chunk` elements (a multiple of 16).
 * threshold = ⌈rate·2²⁴⌉ says the same of whole numbers as uniform < rate does. Scratch: 16 elements.
 */
export function dropout(
  y: usize, x: usize, k0: i32, k1: i32, threshold: i32, keep: f32, total: usize, chunk: usize, begin: usize, end: usize, scratch: usize,
): void {
  const a = i32x4.splat(k0), b = i32x4.splat(k1), c = i32x4.splat(k0 ^ k1 ^ 0x1bd11bda);
  const c1 = i32x4.splat((k0 ^ k1 ^ 0x1bd11bda) + 1), a2 = i32x4.splat(k0 + 2), b3 = i32x4.splat(k1 + 3), c4 = i32x4.splat((k0 ^ k1 ^ 0x1bd11bda) + 4);
  const a5 = i32x4.splat(k0 + 5), limit = i32x4.splat(threshold), factor = f32x4.splat(keep);
  const last = min(end * chunk, total);
  for (let i = begin * chunk; i < last; i += 16) {
    let p = i32x4.add(i32x4.add(i32x4.splat(<i32>(i >> 1)), i32x4(0, 1, 2, 3)), a), q = b, s = i32x4.add(p, i32x4.splat(4)), t = b;
    p = i32x4.add(p, q); q = turned(q, 13, p); s = i32x4.add(s, t); t = turned(t, 13, s);
    p = i32x4.add(p, q); q = turned(q, 15, p); s = i32x4.add(s, t); t = turned(t, 15, s);
    p = i32x4.add(p, q); q = turned(q, 26, p); s = i32x4.add(s, t); t = turned(t, 26, s);
    p = i32x4.add(p, q); q = turned(q, 6, p); s = i32x4.add(s, t); t = turned(t, 6, s);
    p = i32x4.add(p, b); q = i32x4.add(q, c1); s = i32x4.add(s, b); t = i32x4.add(t, c1);
    p = i32x4.add(p, q); q = turned(q, 17, p); s = i32x4.add(s, t); t = turned(t, 17, s);
    p = i32x4.add(p, q); q = turned(q, 29, p); s = i32x4.add(s, t); t = turned(t, 29, s);
    p = i32x4.add(p, q); q = turned(q, 16, p); s = i32x4.add(s, t); t = turned(t, 16, s);
    p = i32x4.add(p, q); q = turned(q, 24, p); s = i32x4.add(s, t); t = turned(t, 24, s);
    p = i32x4.add(p, c); q = i32x4.add(q, a2); s = i32x4.add(s, c); t = i32x4.add(t, a2);
    p = i32x4.add(p, q); q = turned(q, 13, p); s = i32x4.add(s, t); t = turned(t, 13, s);
    p = i32x4.add(p, q); q = turned(q, 15, p); s = i32x4.add(s, t); t = turned(t, 15, s);
    p = i32x4.add(p, q); q = turned(q, 26, p); s = i32x4.add(s, t); t = turned(t, 26, s);
    p = i32x4.add(p, q); q = turned(q, 6, p); s = i32x4.add(s, t); t = turned(t, 6, s);
    p = i32x4.add(p, a); q = i32x4.add(q, b3); s = i32x4.add(s, a); t = i32x4.add(t, b3);
    p = i32x4.add(p, q); q = turned(q, 17, p); s = i32x4.add(s, t); t = turned(t, 17, s);
    p = i32x4.add(p, q); q = turned(q, 29, p); s = i32x4.add(s, t); t = turned(t, 29, s);
    p = i32x4.add(p, q); q = turned(q, 16, p); s = i32x4.add(s, t); t = turned(t, 16, s);
    p = i32x4.add(p, q); q = turned(q, 24, p); s = i32x4.add(s, t); t = turned(t, 24, s);
    p = i32x4.add(p, b); q = i32x4.add(q, c4); s = i32x4.add(s, b); t = i32x4.add(t, c4);
    p = i32x4.add(p, q); q = turned(q, 13, p); s = i32x4.add(s, t); t = turned(t, 13, s);
    p = i32x4.add(p, q); q = turned(q, 15, p); s = i32x4.add(s, t); t = turned(t, 15, s);
    p = i32x4.add(p, q); q = turned(q, 26, p); s = i32x4.add(s, t); t = turned(t, 26, s);
    p = i32x4.add(p, q); q = turned(q, 6, p); s = i32x4.add(s, t); t = turned(t, 6, s);
    p = i32x4.add(p, c); q = i32x4.add(q, a5); s = i32x4.add(s, c); t = i32x4.add(t, a5);
    const whole = i + 16 <= last;
    let from = x + (i << 2), to = y + (i << 2);
    if (!whole) {
      memory.copy(scratch, from, last - i << 2);
      from = to = scratch;
    }
    v128.store(to, kept(v128.load(from), v128.shuffle<u32>(p, q, 0, 4, 1, 5), limit, factor));
    v128.store(to, kept(v128.load(from, 16), v128.shuffle<u32>(p, q, 2, 6, 3, 7), limit, factor), 16);
    v128.store(to, kept(v128.load(from, 32), v128.shuffle<u32>(s, t, 0, 4, 1, 5), limit, factor), 32);
    v128.store(to, kept(v128.load(from, 48), v128.shuffle<u32>(s, t, 2, 6, 3, 7), limit, factor), 48);
    if (!whole) memory.copy(y + (i << 2), scratch, last - i << 2);
  }
}

@inline
function kept(x: v128, bits: v128, limit: v128, factor: v128): v128 {
  return v128.andnot(f32x4.mul(x, factor), i32x4.lt_s(i32x4.shr_u(bits, 8), limit));
}
