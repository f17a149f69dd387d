// The heart of attention and of the head's loss: a tile of 4 rows × 8 columns of a product, its sums in registers. B gives 8 numbers a step.
// Every sum runs over its steps in order, so its bits do not depend on how the tile was reached.

/** C = A·B. A is four rows `aRow` bytes apart, read along the row; B moves `bStep` bytes a step. */
@inline
export function tileSet(a: usize, aRow: usize, b: usize, bStep: usize, steps: usize, c: usize, cRow: usize): void {
  tileRows(a, aRow, b, bStep, steps, c, cRow, 0);
}

/**
 * C = C·f + A·B, with a factor for each of the four rows at `factors`. The steps are summed apart and then added: C may be the large sum of many calls, and
 * small steps that were added to it one by one would be rounded away, always in the same direction.
 */
@inline
export function tileScaleAdd(a: usize, aRow: usize, b: usize, bStep: usize, steps: usize, c: usize, cRow: usize, factors: usize): void {
  tileRows(a, aRow, b, bStep, steps, c, cRow, factors);
}

/** C = A·B, or C·f + A·B where there are factors. The branches are those of gemm/strip.as.ts: never taken, they keep loads between products. */
@inline
function tileRows(a: usize, aRow: usize, b: usize, bStep: usize, steps: usize, c: usize, cRow: usize, factors: usize): void {
  const body = a + ((steps & ~3) << 2), end = a + (steps << 2);
  let a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  let b0: v128, b1: v128, x: v128;
  while (a != body) {
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (a == 1) break;
    x = v128.load32_splat(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (a == 2) break;
    x = v128.load32_splat(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a, 4), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (a == 3) break;
    x = v128.load32_splat(a1, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2, 4), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (a == 5) break;
    x = v128.load32_splat(a3, 4), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a, 8), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (a == 6) break;
    x = v128.load32_splat(a1, 8), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (a == 7) break;
    x = v128.load32_splat(a3, 8), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a, 12), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (a == 9) break;
    x = v128.load32_splat(a1, 12), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2, 12), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (a == 10) break;
    x = v128.load32_splat(a3, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += 16, a1 += 16, a2 += 16, a3 += 16;
  }
  for (; a < end; a += 4, a1 += 4, a2 += 4, a3 += 4, b += bStep) {
    b0 = v128.load(b), b1 = v128.load(b, 16);
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
  }
  if (factors) {
    const p1 = c + cRow, p2 = p1 + cRow, p3 = p2 + cRow;
    const f0 = v128.load32_splat(factors), f1 = v128.load32_splat(factors, 4), f2 = v128.load32_splat(factors, 8), f3 = v128.load32_splat(factors, 12);
    c00 = f32x4.add(f32x4.mul(v128.load(c), f0), c00); c01 = f32x4.add(f32x4.mul(v128.load(c, 16), f0), c01);
    c10 = f32x4.add(f32x4.mul(v128.load(p1), f1), c10); c11 = f32x4.add(f32x4.mul(v128.load(p1, 16), f1), c11);
    c20 = f32x4.add(f32x4.mul(v128.load(p2), f2), c20); c21 = f32x4.add(f32x4.mul(v128.load(p2, 16), f2), c21);
    c30 = f32x4.add(f32x4.mul(v128.load(p3), f3), c30); c31 = f32x4.add(f32x4.mul(v128.load(p3, 16), f3), c31);
  }
  tileStore(c, cRow, c00, c01, c10, c11, c20, c21, c30, c31);
}

/** C = C + Aᵀ·B: A is read down its columns, four numbers a step, `aStep` bytes apart. */
@inline
export function tileTransposedAdd(a: usize, aStep: usize, b: usize, bStep: usize, steps: usize, c: usize, cRow: usize): void {
  const p1 = c + cRow, p2 = p1 + cRow, p3 = p2 + cRow;
  let c00 = v128.load(c), c01 = v128.load(c, 16), c10 = v128.load(p1), c11 = v128.load(p1, 16);
  let c20 = v128.load(p2), c21 = v128.load(p2, 16), c30 = v128.load(p3), c31 = v128.load(p3, 16);
  let b0: v128, b1: v128, x: v128;
  for (const whole = b + (steps & ~3) * bStep; b != whole; ) {
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (b == 1) break;
    x = v128.load32_splat(a, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (b == 2) break;
    x = v128.load32_splat(a, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += aStep;
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (b == 3) break;
    x = v128.load32_splat(a, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (b == 5) break;
    x = v128.load32_splat(a, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += aStep;
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (b == 6) break;
    x = v128.load32_splat(a, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (b == 7) break;
    x = v128.load32_splat(a, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += aStep;
    b0 = v128.load(b), b1 = v128.load(b, 16), b += bStep;
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    if (b == 9) break;
    x = v128.load32_splat(a, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    if (b == 10) break;
    x = v128.load32_splat(a, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
    a += aStep;
  }
  for (steps &= 3; steps > 0; steps--, a += aStep, b += bStep) {
    b0 = v128.load(b), b1 = v128.load(b, 16);
    x = v128.load32_splat(a), c00 = f32x4.add(c00, f32x4.mul(x, b0)), c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 4), c10 = f32x4.add(c10, f32x4.mul(x, b0)), c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8), c20 = f32x4.add(c20, f32x4.mul(x, b0)), c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 12), c30 = f32x4.add(c30, f32x4.mul(x, b0)), c31 = f32x4.add(c31, f32x4.mul(x, b1));
  }
  tileStore(c, cRow, c00, c01, c10, c11, c20, c21, c30, c31);
}

@inline
function tileStore(
  c: usize, cRow: usize, c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
): void {
  v128.store(c, c00); v128.store(c, c01, 16); c += cRow;
  v128.store(c, c10); v128.store(c, c11, 16); c += cRow;
  v128.store(c, c20); v128.store(c, c21, 16); c += cRow;
  v128.store(c, c30); v128.store(c, c31, 16);
}
