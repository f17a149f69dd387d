// Elementwise ops, a row each. Inputs broadcast to the output. NaN in gives NaN out, also in maximum, minimum and sign; comparisons with NaN give 0.
import { type Kernel, type KernelTable, type Shape, sameShape, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";
import { repeated } from "./strided.ts";

declare function f(a: number, b?: number, c?: number): number;
type F = (a: number, b: number, c: number) => number;

function one(...parts: F[]): Kernel<Gpu, object> {
  // y[i] = f(x[i])
  const each = program(
    function (this: Thread, x: List) {
      return f(x[this.thread.x]!);
    },
    ...parts,
  );
  return (gpu, [x], [y]) => gpu.fill(y!, each, [sizeOf(y!.shape)], [gpu.values(x!)]);
}

function two(part: F): Kernel<Gpu, object> {
  // y[i] = f(a[i], b[i]), the shorter ones over and over
  const each = program(function (this: Thread, a: List, b: List, lengthA: number, lengthB: number) {
    return f(a[this.thread.x % lengthA]!, b[this.thread.x % lengthB]!);
  }, part);
  return (gpu, inputs, [y]) => {
    const args = inputs.map((x) => spread(gpu, x, y!.shape));
    gpu.fill(y!, each, [sizeOf(y!.shape)], [...args, ...args.map(({ size }) => whole(size[0]))]);
  };
}

function three(part: F): Kernel<Gpu, object> {
  const each = program(function (this: Thread, a: List, b: List, c: List, lengthA: number, lengthB: number, lengthC: number) {
    return f(a[this.thread.x % lengthA]!, b[this.thread.x % lengthB]!, c[this.thread.x % lengthC]!);
  }, part);
  return (gpu, inputs, [y]) => {
    const args = inputs.map((x) => spread(gpu, x, y!.shape));
    gpu.fill(y!, each, [sizeOf(y!.shape)], [...args, ...args.map(({ size }) => whole(size[0]))]);
  };
}

/** An input as a list that, read over and over, has the output's shape: itself if only leading axes are missing, else a copy that is spread out. */
function spread(gpu: Gpu, x: View, shape: Shape): Sized {
  const leading = x.shape.findIndex((size) => size !== 1); // ones in front are as good as missing
  const rest = leading < 0 ? [] : x.shape.slice(leading);
  const isTail = rest.length === 0 || sameShape(rest, shape.slice(-rest.length));
  return isTail ? gpu.values(x) : repeated(gpu, gpu.values(x), x.shape, shape);
}

/**
 * sin(x + quarters·π/2), in f32 alone, since devices promise little of their own: x less a multiple of π/2, which is given in three parts that cancel exactly,
 * and then one of two polynomials. Source: S. Moshier's Cephes, sinf.
 */
function turned(x: number, quarters: number): number {
  const k = Math.floor(x * 0.6366197723675814 + 0.5);
  const r = x - k * 1.5703125 - k * 4.837512969970703e-4 - k * 7.549789954891882e-8;
  const q = k + quarters - 4 * Math.floor((k + quarters) / 4);
  const square = r * r;
  const sine = r + r * square * (-1.6666654611e-1 + square * (8.3321608736e-3 - square * 1.9515295891e-4));
  const cosine =
    1 - square / 2 + square * square * (4.166664568298827e-2 + square * (-1.388731625493765e-3 + square * 2.443315711809948e-5));
  if (q < 0.5) return sine;
  if (q < 1.5) return cosine;
  if (q < 2.5) return -sine;
  return -cosine;
}

// y = factor·x + offset
const line = program(function (this: Thread, x: List, factor: number, offset: number) {
  return x[this.thread.x]! * factor + offset;
});

export const elementwiseKernels = {
  add: two(function f(a, b) {
    return a + b;
  }),
  sub: two(function f(a, b) {
    return a - b;
  }),
  mul: two(function f(a, b) {
    return a * b;
  }),
  div: two(function f(a, b) {
    return a / b;
  }),
  // the comparison is false where b is NaN, so that b is what comes out; where a is NaN, a is
  maximum: two(function f(a, b) {
    return a > b || a !== a ? a : b;
  }),
  minimum: two(function f(a, b) {
    return a < b || a !== a ? a : b;
  }),
  greater: two(function f(a, b) {
    return a > b ? 1 : 0;
  }),
  greaterEqual: two(function f(a, b) {
    return a >= b ? 1 : 0;
  }),
  equal: two(function f(a, b) {
    return a === b ? 1 : 0;
  }),
  where: three(function f(mask, a, b) {
    return mask !== 0 ? a : b;
  }),
  affine: (gpu, [x], [y], { factor, offset }) => gpu.fill(y!, line, [sizeOf(y!.shape)], [gpu.values(x!), factor, offset]),
  neg: one(function f(x) {
    return -x;
  }),
  abs: one(function f(x) {
    return Math.abs(x);
  }),
  sign: one(function f(x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
  }),
  square: one(function f(x) {
    return x * x;
  }),
  exp: one(function f(x) {
    return x !== x ? x : Math.exp(x); // devices differ on NaN
  }),
  log: one(function f(x) {
    return x < 0 || x !== x ? Math.sqrt(-1 - Math.abs(x)) : Math.log(x); // NaN; devices differ there
  }),
  sqrt: one(function f(x) {
    return Math.sqrt(x);
  }),
  sin: one(function f(x) {
    return turned(x, 0);
  }, turned),
  cos: one(function f(x) {
    return turned(x, 1);
  }, turned),
  // tanh x = 1 − 2 / (e^2x + 1), which ends at ±1; small x by its series, whose digits would cancel
  tanh: one(function f(x) {
    if (Math.abs(x) < 0.05) return x - (x * x * x) / 3 + (2 * x * x * x * x * x) / 15;
    return x !== x ? x : 1 - 2 / (Math.exp(2 * x) + 1);
  }),
  sigmoid: one(function f(x) {
    return x !== x ? x : 1 / (1 + Math.exp(-x));
  }),
  // erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5·…·(2n+1)): Abramowitz & Stegun 7.1.6. All terms have one sign; beyond 6 it is ±1
  erf: one(function f(x) {
    if (x > 6) return 1;
    if (x < -6) return -1;
    let sum = x;
    let term = x;
    for (let n = 1; n < 150; n++) {
      term = (term * 2 * x * x) / (2 * n + 1);
      sum += term;
      if (Math.abs(term) < 1e-9 * Math.abs(sum)) break;
    }
    return 1.1283791670955126 * Math.exp(-x * x) * sum;
  }),
} satisfies Partial<KernelTable<Gpu>>;
