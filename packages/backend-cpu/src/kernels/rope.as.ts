// Rotary positions, half-split: tasks are the (batch, time) pairs; each turns its heads by the angles of its position.

/** x, y [tokens, heads, size], tables [P, half]; sign −1 turns back. */
export function rope(
  y: usize, x: usize, cos: usize, sin: usize, positions: usize, heads: usize, size: usize, half: usize, sign: f32, begin: usize, end: usize,
): void {
  const bytes = half << 2, vectors = (half & ~3) << 2, rest = size - 2 * half << 2, turn = f32x4.splat(sign);
  for (let token = begin; token < end; token++) {
    const row = <usize>load<i32>(positions + (token << 2)) * half << 2;
    const c = cos + row, s = sin + row;
    for (let head: usize = 0; head < heads; head++) {
      const at = (token * heads + head) * size << 2;
      const a = x + at, b = a + bytes, toA = y + at, toB = toA + bytes;
      let i: usize = 0;
      for (; i < vectors; i += 16) {
        const p = v128.load(a + i), q = v128.load(b + i), cc = v128.load(c + i), ss = f32x4.mul(v128.load(s + i), turn);
        v128.store(toA + i, f32x4.sub(f32x4.mul(p, cc), f32x4.mul(q, ss)));
        v128.store(toB + i, f32x4.add(f32x4.mul(q, cc), f32x4.mul(p, ss)));
      }
      for (; i < bytes; i += 4) {
        const p = load<f32>(a + i), q = load<f32>(b + i), cc = load<f32>(c + i), ss = load<f32>(s + i) * sign;
        store<f32>(toA + i, p * cc - q * ss);
        store<f32>(toB + i, q * cc + p * ss);
      }
      if (rest) memory.copy(toB + bytes, b + bytes, rest);
    }
  }
}
