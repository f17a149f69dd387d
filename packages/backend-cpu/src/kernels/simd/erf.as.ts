// The error function of four numbers: x·Q(x²) where |x| < 1 (minimax, relative error 4·10⁻⁸), else ±(1 − e^(−x²)·R(1 / (1 + |x|/2))), R fitted to |x| in [1, 4]
// and good to 4·10⁻¹¹ there; beyond 4 the result is ±1 in f32.
import { exp4 } from "./exp.as";

@inline
export function erf4(x: v128): v128 {
  const size = f32x4.pmin(f32x4.abs(x), f32x4.splat(4));
  const z = f32x4.mul(size, size);
  return erfWith4(x, size, z, exp4(f32x4.neg(z)));
}

/** The same for who has |x|, x² and e^(−x²) already. */
@inline
export function erfWith4(x: v128, size: v128, z: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  let q = f32x4.add(f32x4.mul(z, f32x4.splat(-0.000563118003843)), f32x4.splat(0.00491748412455));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-0.0267112431129));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(0.112801770764));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-0.376123256318));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(1.12837912221));
  const u = f32x4.div(one, f32x4.add(one, f32x4.mul(size, f32x4.splat(0.5))));
  let r = f32x4.add(f32x4.mul(u, f32x4.splat(-0.230734602313)), f32x4.splat(0.636483489489));
  r = f32x4.add(f32x4.mul(r, u), f32x4.splat(-0.0642309837216));
  r = f32x4.add(f32x4.mul(r, u), f32x4.splat(0.396668346829));
  r = f32x4.add(f32x4.mul(r, u), f32x4.splat(0.259739417805));
  r = f32x4.add(f32x4.mul(r, u), f32x4.splat(0.00181799361702));
  const large = f32x4.sub(one, f32x4.mul(e, r));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(f32x4.mul(x, q), v128.or(large, sign), f32x4.lt(size, one));
}
