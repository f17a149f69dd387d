// e^x of four numbers, to about one unit in the last place: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2ⁿ·(1 + r + r²·q(r)); the coefficients of q are
// the minimax ones for relative error (Remez, 3·10⁻⁹), rounded to f32. ln 2 is split so that n times its first part is exact.

const LOG2E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
/** 1.5·2²³: adding it rounds to a whole number, which then stands in the low bits. */
const ROUND: f32 = 12582912;

/** x·log₂e rounded to whole numbers, plus ROUND. */
@inline
function steps(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(LOG2E)), f32x4.splat(ROUND));
}

/** e^(x − n·ln 2) */
@inline
function mantissa(x: v128, t: v128): v128 {
  const n = f32x4.sub(t, f32x4.splat(ROUND));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let q = f32x4.add(f32x4.mul(r, f32x4.splat(0.00138144670597)), f32x4.splat(0.00836878041111));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.0416683942109));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.166665201078));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.499999934125));
  return f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), q), r), f32x4.splat(1));
}

/** e^x over the whole range: subnormal results, 0, ∞ and NaN as they should be. 2ⁿ is applied in two halves, since n may lie beyond one exponent. */
@inline
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-105)), f32x4.splat(90));
  const t = steps(clamped);
  const n = i32x4.sub(t, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(n, 1);
  const one = i32x4.splat(127);
  const low = i32x4.shl(i32x4.add(half, one), 23);
  const high = i32x4.shl(i32x4.add(i32x4.sub(n, half), one), 23);
  return f32x4.mul(f32x4.mul(mantissa(clamped, t), high), low);
}

/** e^x for x ≤ 0 (and up to 88): what would be subnormal is 0. Cheaper, for softmax. */
@inline
export function expNegative4(x: v128): v128 {
  const least = f32x4.splat(-87.33);
  const clamped = f32x4.pmax(x, least);
  const t = steps(clamped);
  return v128.andnot(i32x4.add(mantissa(clamped, t), i32x4.shl(t, 23)), f32x4.lt(x, least));
}
