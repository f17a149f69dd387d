// Activations of four numbers. Each but relu is f(x) = x·s(x), with s = σ(x) for silu, Φ(x) for gelu, and for its approximation, whose (1 + tanh a)/2 is
// σ(2·a), s = σ(b) with b = √(8/π)·(x + 0.044715·x³). The kind is known where these are called, so its branches cost nothing.
import { erfWith4 } from "./erf.as";
import { exp4 } from "./exp.as";

export const RELU = 0;
export const SILU = 1;
export const GELU = 2;
export const GELU_TANH = 3;

const SQRT_HALF: f32 = 0.7071067811865476;
const SQRT_8_PI: f32 = 1.5957691216057308; // √(8/π)
const SQRT_1_2PI: f32 = 0.3989422804014327; // 1/√(2π)

/** The exponential that all of it is made of: e^(−|x|), e^(−x²/2), e^(−|b|); nothing for relu. */
@inline
export function exponential4(kind: i32, x: v128): v128 {
  if (kind == RELU) return x;
  if (kind == SILU) return exp4(f32x4.neg(f32x4.abs(x)));
  if (kind == GELU) {
    const y = f32x4.mul(x, f32x4.splat(SQRT_HALF));
    return exp4(f32x4.neg(f32x4.mul(y, y)));
  }
  const b = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715)), f32x4.splat(1));
  return exp4(f32x4.neg(f32x4.abs(f32x4.mul(f32x4.mul(x, b), f32x4.splat(SQRT_8_PI)))));
}

/** s(x), for relu its slope. σ(b) is 1 / (1 + e) for b ≥ 0, where x ≥ 0 too, and e / (1 + e) below. */
@inline
export function share4(kind: i32, x: v128, e: v128): v128 {
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  if (kind == RELU) return v128.and(f32x4.gt(x, zero), one);
  if (kind == GELU) {
    const y = f32x4.mul(x, f32x4.splat(SQRT_HALF));
    return f32x4.mul(f32x4.add(one, erfWith4(y, f32x4.abs(y), f32x4.mul(y, y), e)), f32x4.splat(0.5));
  }
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(x, zero)), f32x4.add(one, e));
}

/** f(x) */
@inline
export function value4(kind: i32, x: v128, s: v128): v128 {
  return kind == RELU ? f32x4.max(x, f32x4.splat(0)) : f32x4.mul(x, s);
}

/** dy·f′(x), for dy and dy·s. σ′ = σ·(1 − σ), Φ′ = e^(−x²/2)/√(2π). */
@inline
export function back4(kind: i32, x: v128, e: v128, s: v128, dy: v128, dyS: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return dyS;
  if (kind == GELU) return f32x4.add(dyS, f32x4.mul(dy, f32x4.mul(x, f32x4.mul(e, f32x4.splat(SQRT_1_2PI)))));
  if (kind == SILU) return f32x4.mul(dyS, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, s))));
  // 1 − σ(b) as σ(−b): the difference would have no digits left where it is multiplied by much
  const rest = f32x4.div(v128.bitselect(one, e, f32x4.lt(x, f32x4.splat(0))), f32x4.add(one, e));
  const b = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.134145)), one);
  return f32x4.mul(dyS, f32x4.add(one, f32x4.mul(f32x4.mul(x, rest), f32x4.mul(b, f32x4.splat(SQRT_8_PI)))));
}
