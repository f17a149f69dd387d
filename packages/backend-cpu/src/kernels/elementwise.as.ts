// Elementwise ops. Data lies as rows of n elements; a task computes whole rows [begin, end). The tail of a row goes through the same vector code with one
// lane in use, so an element's bits depend on its value alone. The numbers of the ops are those of elementwise.ts.
import { erf4 } from "./simd/erf.as";
import { exp4 } from "./simd/exp.as";
import { log4 } from "./simd/log.as";
import { sigmoid4 } from "./simd/sigmoid.as";
import { tanh4 } from "./simd/tanh.as";

const ADD = 0;
const SUB = 1;
const MUL = 2;
const DIV = 3;
const MAXIMUM = 4;
const MINIMUM = 5;
const GREATER = 6;
const GREATER_EQUAL = 7;
const EQUAL = 8;
const FIRST = 9;

@inline
function two(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUB) return f32x4.sub(a, b);
  if (op == MUL) return f32x4.mul(a, b);
  if (op == DIV) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  if (op == MINIMUM) return f32x4.min(a, b);
  if (op == GREATER) return v128.and(f32x4.gt(a, b), f32x4.splat(1));
  if (op == GREATER_EQUAL) return v128.and(f32x4.ge(a, b), f32x4.splat(1));
  if (op == EQUAL) return v128.and(f32x4.eq(a, b), f32x4.splat(1));
  return a;
}

/** One row: y[i] = op(a[i·aStep], b[i·bStep]); steps are 0 or 1. */
@inline
function row(op: i32, y: usize, a: usize, b: usize, n: usize, aStep: i32, bStep: i32): void {
  const end = y + (n << 2);
  const vectors = y + ((n & ~3) << 2);
  if (aStep & bStep) {
    for (; y < vectors; y += 16, a += 16, b += 16) v128.store(y, two(op, v128.load(a), v128.load(b)));
  } else if (aStep) {
    const c = v128.load32_splat(b);
    for (; y < vectors; y += 16, a += 16) v128.store(y, two(op, v128.load(a), c));
  } else if (bStep) {
    const c = v128.load32_splat(a);
    for (; y < vectors; y += 16, b += 16) v128.store(y, two(op, c, v128.load(b)));
  } else {
    const c = two(op, v128.load32_splat(a), v128.load32_splat(b));
    for (; y < vectors; y += 16) v128.store(y, c);
  }
  const aBytes = <usize>aStep << 2, bBytes = <usize>bStep << 2;
  for (; y < end; y += 4, a += aBytes, b += bBytes) v128.store32_lane(y, two(op, v128.load32_splat(a), v128.load32_splat(b)), 0);
}

function anyRow(op: i32, y: usize, a: usize, b: usize, n: usize, aStep: i32, bStep: i32): void {
  switch (op) {
    case ADD: row(ADD, y, a, b, n, aStep, bStep); break;
    case SUB: row(SUB, y, a, b, n, aStep, bStep); break;
    case MUL: row(MUL, y, a, b, n, aStep, bStep); break;
    case DIV: row(DIV, y, a, b, n, aStep, bStep); break;
    case MAXIMUM: row(MAXIMUM, y, a, b, n, aStep, bStep); break;
    case MINIMUM: row(MINIMUM, y, a, b, n, aStep, bStep); break;
    case GREATER: row(GREATER, y, a, b, n, aStep, bStep); break;
    case GREATER_EQUAL: row(GREATER_EQUAL, y, a, b, n, aStep, bStep); break;
    case EQUAL: row(EQUAL, y, a, b, n, aStep, bStep); break;
    default: row(FIRST, y, a, b, n, aStep, bStep);
  }
}

/**
 * y[r, i] = op(a[r₀·a0 + r₁·a1 + i·aStep], b[…]) with r = r₀·rows1 + r₁; a0, a1, b0, b1 in elements. `total` elements in all: the last row may be short.
 */
export function elementwiseBinary(
  op: i32, y: usize, a: usize, b: usize, total: usize, n: usize, aStep: i32, bStep: i32, rows1: usize, a1: usize, b1: usize, a0: usize, b0: usize,
  begin: usize, end: usize,
): void {
  for (let r = begin; r < end; r++) {
    const r0 = r / rows1, r1 = r - r0 * rows1;
    anyRow(op, y + (r * n << 2), a + (r0 * a0 + r1 * a1 << 2), b + (r0 * b0 + r1 * b1 << 2), min(n, total - r * n), aStep, bStep);
  }
}

/** y = mask ≠ 0 ? a : b, rows as in elementwiseBinary. NaN is not 0. */
export function elementwiseWhere(
  y: usize, mask: usize, a: usize, b: usize, total: usize, n: usize, mStep: usize, aStep: usize, bStep: usize,
  rows1: usize, m1: usize, a1: usize, b1: usize, m0: usize, a0: usize, b0: usize, begin: usize, end: usize,
): void {
  for (let r = begin; r < end; r++) {
    const r0 = r / rows1, r1 = r - r0 * rows1;
    let to = y + (r * n << 2), m = mask + (r0 * m0 + r1 * m1 << 2), p = a + (r0 * a0 + r1 * a1 << 2), q = b + (r0 * b0 + r1 * b1 << 2);
    const last = to + (min(n, total - r * n) << 2);
    if (mStep & aStep & bStep) {
      for (; to + 16 <= last; to += 16, m += 16, p += 16, q += 16)
        v128.store(to, v128.bitselect(v128.load(p), v128.load(q), f32x4.ne(v128.load(m), f32x4.splat(0))));
    }
    for (; to < last; to += 4, m += mStep << 2, p += aStep << 2, q += bStep << 2)
      store<u32>(to, load<f32>(m) != 0 ? load<u32>(p) : load<u32>(q));
  }
}

const NEG = 0;
const ABS = 1;
const SIGN = 2;
const SQUARE = 3;
const EXP = 4;
const LOG = 5;
const SQRT = 6;
const TANH = 7;
const SIGMOID = 8;
const ERF = 9;

@inline
function one(op: i32, x: v128): v128 {
  if (op == NEG) return f32x4.neg(x);
  if (op == ABS) return f32x4.abs(x);
  if (op == SQUARE) return f32x4.mul(x, x);
  if (op == EXP) return exp4(x);
  if (op == LOG) return log4(x);
  if (op == SQRT) return f32x4.sqrt(x);
  if (op == TANH) return tanh4(x);
  if (op == SIGMOID) return sigmoid4(x);
  if (op == ERF) return erf4(x);
  const zero = f32x4.splat(0);
  const positive = v128.bitselect(f32x4.splat(1), x, f32x4.gt(x, zero));
  return v128.bitselect(f32x4.splat(-1), positive, f32x4.lt(x, zero));
}

@inline
function map(op: i32, y: usize, x: usize, n: usize): void {
  const end = y + (n << 2);
  for (; y + 16 <= end; y += 16, x += 16) v128.store(y, one(op, v128.load(x)));
  for (; y < end; y += 4, x += 4) v128.store32_lane(y, one(op, v128.load32_splat(x)), 0);
}

/** y[i] = op(x[i]) for i in chunks [begin, end) of `chunk` elements, `total` in all. */
export function elementwiseUnary(op: i32, y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  const first = begin * chunk, n = min(end * chunk, total) - first;
  y += first << 2;
  x += first << 2;
  switch (op) {
    case NEG: map(NEG, y, x, n); break;
    case ABS: map(ABS, y, x, n); break;
    case SIGN: map(SIGN, y, x, n); break;
    case SQUARE: map(SQUARE, y, x, n); break;
    case EXP: map(EXP, y, x, n); break;
    case LOG: map(LOG, y, x, n); break;
    case SQRT: map(SQRT, y, x, n); break;
    case TANH: map(TANH, y, x, n); break;
    case SIGMOID: map(SIGMOID, y, x, n); break;
    default: map(ERF, y, x, n);
  }
}

/** y = x·factor + offset */
export function elementwiseAffine(y: usize, x: usize, factor: f32, offset: f32, total: usize, chunk: usize, begin: usize, end: usize): void {
  const f = f32x4.splat(factor), o = f32x4.splat(offset);
  x += begin * chunk << 2;
  const last = y + (min(end * chunk, total) << 2);
  y += begin * chunk << 2;
  for (; y + 16 <= last; y += 16, x += 16) v128.store(y, f32x4.add(f32x4.mul(v128.load(x), f), o));
  for (; y < last; y += 4, x += 4) store<f32>(y, load<f32>(x) * factor + offset);
}

/** Sines are taken one by one, with the reduction of the argument that holds for any size. */
export function elementwiseSin(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  for (let i = begin * chunk; i < min(end * chunk, total); i++) store<f32>(y + (i << 2), NativeMathf.sin(load<f32>(x + (i << 2))));
}
export function elementwiseCos(y: usize, x: usize, total: usize, chunk: usize, begin: usize, end: usize): void {
  for (let i = begin * chunk; i < min(end * chunk, total); i++) store<f32>(y + (i << 2), NativeMathf.cos(load<f32>(x + (i << 2))));
}
