// The natural logarithm of four numbers: x = 2ᵉ·(1 + f) with 1 + f in [√½, √2), ln x = e·ln 2 + f − f²/2 + f³·P(f) (minimax, relative error 7·10⁻¹⁰).
// ln 0 = −∞, of a negative number NaN.

@inline
export function log4(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  const e = i32x4.shr_s(i32x4.sub(normal, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(normal, i32x4.shl(e, 23)), f32x4.splat(1));
  const n = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(tiny, f32x4.splat(23)));
  let p = f32x4.add(f32x4.mul(f, f32x4.splat(0.0674665152336)), f32x4.splat(-0.116756545708));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.11888158847));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-0.124055882416));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.142195527325));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-0.166679959049));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.200021186426));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-0.250000095983));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.333333126043));
  const ff = f32x4.mul(f, f);
  let y = f32x4.mul(f32x4.mul(ff, f), p);
  y = f32x4.add(y, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(ff, f32x4.splat(0.5)));
  y = f32x4.add(f32x4.add(f, y), f32x4.mul(n, f32x4.splat(0.693359375)));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
  y = v128.bitselect(x, y, v128.or(f32x4.eq(x, f32x4.splat(Infinity)), f32x4.ne(x, x)));
  return v128.bitselect(f32x4.splat(NaN), y, f32x4.lt(x, f32x4.splat(0)));
}
