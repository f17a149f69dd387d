// Dropout with core's numbers (random.ts): element i gets word i mod 2 of Threefry-2x32 at counter (⌊i/2⌋, 0). Four blocks at a time.

/** Four times four rounds; the rotations of the two kinds of group. */
@inline
function rotate(x: v128, r: i32): v128 {
  return v128.or(i32x4.shl(x, r), i32x4.shr_u(x, 32 - r));
}

/**
 * y[i] = (word(i) >>> 8) < threshold ? 0 : x[i]·keep, for i in chunks [begin, end) of `chunk` elements (a multiple of 8).
 * threshold = ⌈rate·2²⁴⌉ says the same of whole numbers as uniform < rate does.
 */
export function dropout(
  y: usize, x: usize, k0: i32, k1: i32, threshold: i32, keep: f32, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  const a = i32x4.splat(k0), b = i32x4.splat(k1), c = i32x4.splat(k0 ^ k1 ^ 0x1bd11bda);
  const limit = i32x4.splat(threshold), factor = f32x4.splat(keep);
  const last = min(end * chunk, total);
  let i = begin * chunk;
  let counter = i32x4.add(i32x4.splat(<i32>(i >> 1)), i32x4(0, 1, 2, 3));
  for (; i < last; i += 8, counter = i32x4.add(counter, i32x4.splat(4))) {
    let p = i32x4.add(counter, a), q = b;
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 13), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 15), p);
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 26), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 6), p);
    p = i32x4.add(p, b); q = i32x4.add(q, i32x4.add(c, i32x4.splat(1)));
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 17), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 29), p);
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 16), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 24), p);
    p = i32x4.add(p, c); q = i32x4.add(q, i32x4.add(a, i32x4.splat(2)));
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 13), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 15), p);
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 26), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 6), p);
    p = i32x4.add(p, a); q = i32x4.add(q, i32x4.add(b, i32x4.splat(3)));
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 17), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 29), p);
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 16), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 24), p);
    p = i32x4.add(p, b); q = i32x4.add(q, i32x4.add(c, i32x4.splat(4)));
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 13), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 15), p);
    p = i32x4.add(p, q); q = v128.xor(rotate(q, 26), p); p = i32x4.add(p, q); q = v128.xor(rotate(q, 6), p);
    p = i32x4.add(p, c); q = i32x4.add(q, i32x4.add(a, i32x4.splat(5)));
    const low = dropMask(v128.shuffle<u32>(p, q, 0, 4, 1, 5), limit), high = dropMask(v128.shuffle<u32>(p, q, 2, 6, 3, 7), limit);
    const from = x + (i << 2), to = y + (i << 2);
    if (i + 8 <= last) {
      v128.store(to, v128.andnot(f32x4.mul(v128.load(from), factor), low));
      v128.store(to, v128.andnot(f32x4.mul(v128.load(from, 16), factor), high), 16);
    } else store8(to, from, last - i, keep, i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(low, high), low)));
  }
}

@inline
function dropMask(bits: v128, limit: v128): v128 {
  return i32x4.lt_s(i32x4.shr_u(bits, 8), limit);
}

function store8(to: usize, from: usize, n: usize, keep: f32, dropped: i32): void {
  for (let i: usize = 0; i < n; i++) store<f32>(to + (i << 2), (dropped >> <i32>i) & 1 ? 0 : load<f32>(from + (i << 2)) * keep);
}
