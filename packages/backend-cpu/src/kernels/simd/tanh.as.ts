// tanh of four numbers: x + x³·P(x²) where |x| < 0.625 (minimax, relative error 4·10⁻⁹), else ±(1 − 2 / (e^(2|x|) + 1)).
import { exp4 } from "./exp.as";

@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(z, f32x4.splat(-0.00570498699346)), f32x4.splat(0.0206390872447));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-0.0537397150858));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(0.133314421982));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-0.33333281942));
  const small = f32x4.add(x, f32x4.mul(f32x4.mul(x, z), p));
  const e = exp4(f32x4.add(size, size));
  const large = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(small, v128.or(large, sign), f32x4.lt(size, f32x4.splat(0.625)));
}
