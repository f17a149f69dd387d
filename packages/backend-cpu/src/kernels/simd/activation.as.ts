// Activations of four numbers. Each but relu is f(x) = x·s(x), with s = σ(x) for silu, Φ(x) for gelu, and for its approximation, whose (1 + tanh a)/2 is
// σ(2·a), s = σ(b) with b = √(8/π)·(x + 0.044715·x³). The kind is known where these are called, so its branches cost nothing.
import { erf4 } from "./erf.as";
import { exp4 } from "./exp.as";
import { sigmoid4 } from "./sigmoid.as";

export const RELU = 0;
export const SILU = 1;
export const GELU = 2;
export const GELU_TANH = 3;

const SQRT_HALF: f32 = 0.7071067811865476;
const SQRT_8_PI: f32 = 1.5957691216057308; // √(8/π)
const SQRT_1_2PI: f32 = 0.3989422804014327; // 1/√(2π)

/** s(x); for relu its slope. */
@inline
export function share4(kind: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(f32x4.gt(x, f32x4.splat(0)), one);
  if (kind == SILU) return sigmoid4(x);
  if (kind == GELU) return f32x4.mul(f32x4.add(one, erf4(f32x4.mul(x, f32x4.splat(SQRT_HALF)))), f32x4.splat(0.5));
  const b = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715)), one);
  return sigmoid4(f32x4.mul(f32x4.mul(x, b), f32x4.splat(SQRT_8_PI)));
}

/** f(x) */
@inline
export function value4(kind: i32, x: v128, s: v128): v128 {
  return kind == RELU ? f32x4.max(x, f32x4.splat(0)) : f32x4.mul(x, s);
}

/** dy·f′(x), for dy and dy·s. σ′ = σ·(1 − σ), Φ′ = e^(−x²/2)/√(2π). */
@inline
export function back4(kind: i32, x: v128, s: v128, dy: v128, dyS: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return dyS;
  const square = f32x4.mul(x, x);
  if (kind == GELU) {
    const density = f32x4.mul(exp4(f32x4.mul(square, f32x4.splat(-0.5))), f32x4.splat(SQRT_1_2PI));
    return f32x4.add(dyS, f32x4.mul(dy, f32x4.mul(x, density)));
  }
  let rest = f32x4.mul(x, f32x4.sub(one, s));
  if (kind == GELU_TANH) {
    const b = f32x4.add(f32x4.mul(square, f32x4.splat(0.134145)), one);
    rest = f32x4.mul(rest, f32x4.mul(b, f32x4.splat(SQRT_8_PI)));
  }
  return f32x4.mul(dyS, f32x4.add(one, rest));
}
