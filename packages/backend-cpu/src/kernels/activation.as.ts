// Activations and their gradients, elementwise over chunks of equal size; the tail of a chunk goes through the same vector code with one lane in use.
// Each activation is an export of its own: one that branched would be made into one loop that branches at every step.
import { back4, exponential4, GELU, GELU_TANH, RELU, SILU, share4, value4 } from "./simd/activation.as";

// y = f(x), chunks [begin, end) of `total` elements
export function activationRelu(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(RELU, y, x, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationSilu(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(SILU, y, x, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationGelu(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(GELU, y, x, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationGeluTanh(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  forward(GELU_TANH, y, x, begin * chunk << 2, min(end * chunk, total) << 2);
}

@inline
function forward(kind: i32, y: usize, x: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const a = v128.load(x + i);
    v128.store(y + i, value4(kind, a, share4(kind, a, exponential4(kind, a))));
  }
  for (; i < last; i += 4) {
    const a = v128.load32_splat(x + i);
    v128.store32_lane(y + i, value4(kind, a, share4(kind, a, exponential4(kind, a))), 0);
  }
}

// dx = dy·f′(x)
export function activationReluBackward(dx: usize, x: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  backward(RELU, dx, x, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationSiluBackward(dx: usize, x: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  backward(SILU, dx, x, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationGeluBackward(dx: usize, x: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  backward(GELU, dx, x, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}
export function activationGeluTanhBackward(dx: usize, x: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  backward(GELU_TANH, dx, x, dy, begin * chunk << 2, min(end * chunk, total) << 2);
}

@inline
function backward(kind: i32, dx: usize, x: usize, dy: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const a = v128.load(x + i), e = exponential4(kind, a), s = share4(kind, a, e), d = v128.load(dy + i);
    v128.store(dx + i, back4(kind, a, e, s, d, f32x4.mul(d, s)));
  }
  for (; i < last; i += 4) {
    const a = v128.load32_splat(x + i), e = exponential4(kind, a), s = share4(kind, a, e), d = v128.load32_splat(dy + i);
    v128.store32_lane(dx + i, back4(kind, a, e, s, d, f32x4.mul(d, s)), 0);
  }
}
