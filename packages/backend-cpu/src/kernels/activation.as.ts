// Activations and their gradients, elementwise over chunks of equal size; the tail of a chunk goes through the same vector code with one lane in use.
import { back4, GELU, GELU_TANH, RELU, SILU, share4, value4 } from "./simd/activation.as";

/** y = f(x), chunks [begin, end) of `total` elements; activations by the numbers of activation-code.ts. */
export function activation(kind: i32, y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const first = begin * chunk << 2, last = min(end * chunk, total) << 2;
  switch (kind) {
    case RELU: forward(RELU, y, x, first, last); break;
    case SILU: forward(SILU, y, x, first, last); break;
    case GELU: forward(GELU, y, x, first, last); break;
    default: forward(GELU_TANH, y, x, first, last);
  }
}

@inline
function forward(kind: i32, y: usize, x: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const a = v128.load(x + i);
    v128.store(y + i, value4(kind, a, share4(kind, a)));
  }
  for (; i < last; i += 4) {
    const a = v128.load32_splat(x + i);
    v128.store32_lane(y + i, value4(kind, a, share4(kind, a)), 0);
  }
}

/** dx = dy·f′(x) */
export function activationBackward(kind: i32, dx: usize, x: usize, dy: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const first = begin * chunk << 2, last = min(end * chunk, total) << 2;
  switch (kind) {
    case RELU: backward(RELU, dx, x, dy, first, last); break;
    case SILU: backward(SILU, dx, x, dy, first, last); break;
    case GELU: backward(GELU, dx, x, dy, first, last); break;
    default: backward(GELU_TANH, dx, x, dy, first, last);
  }
}

@inline
function backward(kind: i32, dx: usize, x: usize, dy: usize, i: usize, last: usize): void {
  for (; i + 16 <= last; i += 16) {
    const a = v128.load(x + i), s = share4(kind, a), d = v128.load(dy + i);
    v128.store(dx + i, back4(kind, a, s, d, f32x4.mul(d, s)));
  }
  for (; i < last; i += 4) {
    const a = v128.load32_splat(x + i), s = share4(kind, a), d = v128.load32_splat(dy + i);
    v128.store32_lane(dx + i, back4(kind, a, s, d, f32x4.mul(d, s)), 0);
  }
}
