// Scores under a smooth cap: z = cap·tanh(s / cap), with dz/ds = 1 − tanh². Whole vectors are read and written.
import { tanh4 } from "./tanh.as";

/** n scores, in place. */
@inline
export function capScores(p: usize, n: usize, cap: f32): void {
  const factor = f32x4.splat(cap), inverse = f32x4.splat(1 / cap);
  for (const end = p + (n << 2); p < end; p += 16) v128.store(p, f32x4.mul(factor, tanh4(f32x4.mul(v128.load(p), inverse))));
}

/** dz/ds of n capped scores z. */
@inline
export function capSlopes(slopes: usize, z: usize, n: usize, cap: f32): void {
  const inverse = f32x4.splat(1 / cap);
  for (const end = z + (n << 2); z < end; z += 16, slopes += 16) v128.store(slopes, slope4(f32x4.mul(v128.load(z), inverse)));
}

/** 1 − h², for h = z / cap */
@inline
export function slope4(h: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.mul(f32x4.sub(one, h), f32x4.add(one, h));
}
