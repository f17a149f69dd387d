// A gated activation and its gradients, elementwise over chunks of equal size; the tail of a chunk goes through the same vector code with one lane in use.
// Each activation is an export of its own, as in activation.as.ts.
import { back4, exponential4, GELU, GELU_TANH, RELU, SILU, share4, value4 } from "./simd/activation.as";

// y = f(g)·u, chunks [begin, end) of `total` elements
export function gatedRelu(y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(RELU, y, gate, up, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedSilu(y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(SILU, y, gate, up, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedGelu(y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(GELU, y, gate, up, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedGeluTanh(y: usize, gate: usize, up: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(GELU_TANH, y, gate, up, begin * chunk << 2, min(end * chunk, total) << 2);
}

@inline
function forward(kind: i32, y: usize, gate: usize, up: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const g = v128.load(gate + i);
    v128.store(y + i, f32x4.mul(value4(kind, g, share4(kind, g, exponential4(kind, g))), v128.load(up + i)));
  }
  for (; i < last; i += 4) {
    const g = v128.load32_splat(gate + i);
    v128.store32_lane(y + i, f32x4.mul(value4(kind, g, share4(kind, g, exponential4(kind, g))), v128.load32_splat(up + i)), 0);
  }
}

// dg = dy·u·f′(g), du = dy·f(g)
export function gatedReluBackward(
  dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  backward(RELU, dGate, dUp, gate, up, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedSiluBackward(
  dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  backward(SILU, dGate, dUp, gate, up, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedGeluBackward(
  dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  backward(GELU, dGate, dUp, gate, up, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function gatedGeluTanhBackward(
  dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize,
): void {
  backward(GELU_TANH, dGate, dUp, gate, up, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}

@inline
function backward(kind: i32, dGate: usize, dUp: usize, gate: usize, up: usize, dy: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const g = v128.load(gate + i), u = v128.load(up + i), d = v128.load(dy + i), e = exponential4(kind, g), s = share4(kind, g, e), ds = f32x4.mul(d, s);
    v128.store(dUp + i, f32x4.mul(ds, g));
    v128.store(dGate + i, back4(kind, g, e, s, f32x4.mul(d, u), f32x4.mul(ds, u)));
  }
  for (; i < last; i += 4) {
    const g = v128.load32_splat(gate + i), u = v128.load32_splat(up + i), d = v128.load32_splat(dy + i), e = exponential4(kind, g), s = share4(kind, g, e), ds = f32x4.mul(d, s);
    v128.store32_lane(dUp + i, f32x4.mul(ds, g), 0);
    v128.store32_lane(dGate + i, back4(kind, g, e, s, f32x4.mul(d, u), f32x4.mul(ds, u)), 0);
  }
}
