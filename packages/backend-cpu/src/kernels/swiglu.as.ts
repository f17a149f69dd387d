// SwiGLU and its gradient, elementwise over chunks of equal size; the tail of a chunk goes through the same vector code with one lane in use.
import { sigmoid4 } from "./simd/sigmoid.as";

/** y = g·σ(g)·u */
export function swiglu(y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const last = min(end * chunk, total) << 2;
  let i = begin * chunk << 2;
  for (; i + 16 <= last; i += 16) v128.store(y + i, value(v128.load(gate + i), v128.load(up + i)));
  for (; i < last; i += 4) v128.store32_lane(y + i, value(v128.load32_splat(gate + i), v128.load32_splat(up + i)), 0);
}

@inline
function value(g: v128, u: v128): v128 {
  return f32x4.mul(f32x4.mul(g, sigmoid4(g)), u);
}

/** s = σ(g), dg = dy·u·s·(1 + g·(1 − s)), du = dy·g·s */
export function swigluBackward(
  dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  const last = min(end * chunk, total) << 2;
  let i = begin * chunk << 2;
  for (; i + 16 <= last; i += 16) {
    const g = v128.load(gate + i), s = sigmoid4(g), ds = f32x4.mul(v128.load(dy + i), s);
    const u = v128.load(up + i);
    v128.store(dUp + i, f32x4.mul(ds, g));
    v128.store(dGate + i, f32x4.mul(f32x4.mul(ds, u), slope(g, s)));
  }
  for (; i < last; i += 4) {
    const g = v128.load32_splat(gate + i), s = sigmoid4(g), ds = f32x4.mul(v128.load32_splat(dy + i), s);
    const u = v128.load32_splat(up + i);
    v128.store32_lane(dUp + i, f32x4.mul(ds, g), 0);
    v128.store32_lane(dGate + i, f32x4.mul(f32x4.mul(ds, u), slope(g, s)), 0);
  }
}

@inline
function slope(g: v128, s: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.add(one, f32x4.mul(g, f32x4.sub(one, s)));
}
