// A gated activation and its gradients, elementwise over chunks of equal size; the tail of a chunk goes through the same vector code with one lane in use.
import { back4, GELU, GELU_TANH, RELU, SILU, share4, value4 } from "./simd/activation.as";

/** y = f(g)·u, chunks [begin, end) of `total` elements; activations by the numbers of activation-code.ts. */
export function gatedActivation(kind: i32, y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const first = begin * chunk << 2, last = min(end * chunk, total) << 2;
  switch (kind) {
    case RELU: forward(RELU, y, gate, up, first, last); break;
    case SILU: forward(SILU, y, gate, up, first, last); break;
    case GELU: forward(GELU, y, gate, up, first, last); break;
    default: forward(GELU_TANH, y, gate, up, first, last);
  }
}

@inline
function forward(kind: i32, y: usize, gate: usize, up: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const g = v128.load(gate + i);
    v128.store(y + i, f32x4.mul(value4(kind, g, share4(kind, g)), v128.load(up + i)));
  }
  for (; i < last; i += 4) {
    const g = v128.load32_splat(gate + i);
    v128.store32_lane(y + i, f32x4.mul(value4(kind, g, share4(kind, g)), v128.load32_splat(up + i)), 0);
  }
}

/** dg = dy·u·f′(g), du = dy·f(g) */
export function gatedActivationBackward(
  kind: i32, dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  const first = begin * chunk << 2, last = min(end * chunk, total) << 2;
  switch (kind) {
    case RELU: backward(RELU, dGate, dUp, gate, up, dy, first, last); break;
    case SILU: backward(SILU, dGate, dUp, gate, up, dy, first, last); break;
    case GELU: backward(GELU, dGate, dUp, gate, up, dy, first, last); break;
    default: backward(GELU_TANH, dGate, dUp, gate, up, dy, first, last);
  }
}

@inline
function backward(kind: i32, dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const g = v128.load(gate + i), u = v128.load(up + i), d = v128.load(dy + i), s = share4(kind, g), ds = f32x4.mul(d, s);
    v128.store(dUp + i, f32x4.mul(ds, g));
    v128.store(dGate + i, back4(kind, g, s, f32x4.mul(d, u), f32x4.mul(ds, u)));
  }
  for (; i < last; i += 4) {
    const g = v128.load32_splat(gate + i), u = v128.load32_splat(up + i), d = v128.load32_splat(dy + i), s = share4(kind, g), ds = f32x4.mul(d, s);
    v128.store32_lane(dUp + i, f32x4.mul(ds, g), 0);
    v128.store32_lane(dGate + i, back4(kind, g, s, f32x4.mul(d, u), f32x4.mul(ds, u)), 0);
  }
}
