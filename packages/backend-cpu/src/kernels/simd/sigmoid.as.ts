// σ(x) = 1 / (1 + e⁻ˣ) of four numbers. With e = e^(−|x|) it is 1 / (1 + e) for x ≥ 0 and e / (1 + e) below, so no exponential overflows.
import { exp4 } from "./exp.as";

@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(x, f32x4.splat(0))), f32x4.add(one, e));
}
