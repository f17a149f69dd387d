// Products of matrices: one thread, one element, one loop. Either operand may be read transposed. Leading axes of b, where it has some, number the products;
// without them a's are rows of one product. Several products are one program, over matrices that are transposed first.
import { type KernelTable, type MatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type Cube, type Matrix, type Program, program, type Thread } from "../program.ts";
import { plus } from "./plus.ts";

// y[row, column] = Σ_p a[row, p]·b[p, column]. Four terms a turn, and then what is left of k: gpu.js counts the turns of a loop of unknown length twice
const product = program(function (this: Thread, a: Matrix, b: Matrix, fours: number, k: number) {
  let sum = 0.0;
  for (let p = 0; p < fours; p += 4) {
    sum += a[this.thread.z]![p]! * b[p]![this.thread.x]! + a[this.thread.z]![p + 1]! * b[p + 1]![this.thread.x]!;
    sum += a[this.thread.z]![p + 2]! * b[p + 2]![this.thread.x]! + a[this.thread.z]![p + 3]! * b[p + 3]![this.thread.x]!;
  }
  for (let q = fours; q < k; q++) sum += a[this.thread.z]![q]! * b[q]![this.thread.x]!;
  return sum;
});

// … b[column, p]
const productTransposedB = program(function (this: Thread, a: Matrix, b: Matrix, fours: number, k: number) {
  let sum = 0.0;
  for (let p = 0; p < fours; p += 4) {
    sum += a[this.thread.z]![p]! * b[this.thread.x]![p]! + a[this.thread.z]![p + 1]! * b[this.thread.x]![p + 1]!;
    sum += a[this.thread.z]![p + 2]! * b[this.thread.x]![p + 2]! + a[this.thread.z]![p + 3]! * b[this.thread.x]![p + 3]!;
  }
  for (let q = fours; q < k; q++) sum += a[this.thread.z]![q]! * b[this.thread.x]![q]!;
  return sum;
});

// … a[p, row]
const productTransposedA = program(function (this: Thread, a: Matrix, b: Matrix, fours: number, k: number) {
  let sum = 0.0;
  for (let p = 0; p < fours; p += 4) {
    sum += a[p]![this.thread.z]! * b[p]![this.thread.x]! + a[p + 1]![this.thread.z]! * b[p + 1]![this.thread.x]!;
    sum += a[p + 2]![this.thread.z]! * b[p + 2]![this.thread.x]! + a[p + 3]![this.thread.z]! * b[p + 3]![this.thread.x]!;
  }
  for (let q = fours; q < k; q++) sum += a[q]![this.thread.z]! * b[q]![this.thread.x]!;
  return sum;
});

const productTransposedBoth = program(function (this: Thread, a: Matrix, b: Matrix, fours: number, k: number) {
  let sum = 0.0;
  for (let p = 0; p < fours; p += 4) {
    sum += a[p]![this.thread.z]! * b[this.thread.x]![p]! + a[p + 1]![this.thread.z]! * b[this.thread.x]![p + 1]!;
    sum += a[p + 2]![this.thread.z]! * b[this.thread.x]![p + 2]! + a[p + 3]![this.thread.z]! * b[this.thread.x]![p + 3]!;
  }
  for (let q = fours; q < k; q++) sum += a[q]![this.thread.z]! * b[this.thread.x]![q]!;
  return sum;
});

// y[which, row, column] = Σ_p a[which, row, p]·b[which, p, column], with m rows each
const severalProducts = program(function (this: Thread, a: Matrix, b: Cube, k: number, m: number) {
  const which = Math.floor((this.thread.z + 0.5) / m);
  let sum = 0.0;
  for (let p = 0; p < k; p++) sum += a[this.thread.z]![p]! * b[which]![p]![this.thread.x]!;
  return sum;
});

// y[which, row, column] = x[which, column, row], with so many rows each
const transposed = program(function (this: Thread, x: Cube, rows: number) {
  const which = Math.floor((this.thread.z + 0.5) / rows);
  return x[which]![this.thread.x]![this.thread.z - which * rows]!;
});

/** How many products, and their sizes: [m, k]·[k, n]. */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly products: number;
}

/** a·b of what two lists hold, either of them transposed. */
export function productOf(gpu: Gpu, a: Sized, b: Sized, sizes: ProductSizes, attrs: MatmulAttrs): Sized {
  const { m, k, n, products } = sizes;
  const { transposeA, transposeB } = attrs;
  if (products === 1) {
    const matrices = [gpu.as(a, transposeA ? [m, k] : [k, m]), gpu.as(b, transposeB ? [k, n] : [n, k])];
    return gpu.run(oneProduct(attrs), [n, m], [...matrices, whole(k - (k % 4)), whole(k)]);
  }
  const turn = (x: Sized, rows: number, columns: number): Sized =>
    gpu.run(transposed, [columns, rows * products], [gpu.as(x, [rows, columns, products]), whole(rows)]);
  const [rowsOfA, matricesOfB] = [transposeA ? turn(a, m, k) : a, transposeB ? turn(b, k, n) : b];
  return gpu.run(
    severalProducts,
    [n, m * products],
    [gpu.as(rowsOfA, [k, m * products]), gpu.as(matricesOfB, [n, k, products]), whole(k), whole(m)],
  );
}

function oneProduct({ transposeA, transposeB }: MatmulAttrs): Program {
  if (transposeA) return transposeB ? productTransposedBoth : productTransposedA;
  return transposeB ? productTransposedB : product;
}

function multiply(gpu: Gpu, a: View, b: View, y: View, attrs: MatmulAttrs): Sized {
  const products = sizeOf(b.shape.slice(0, -2));
  const m = b.shape.length > 2 ? y.shape.at(-2)! : sizeOf(y.shape.slice(0, -1));
  const sizes = { m, k: a.shape.at(attrs.transposeA ? -2 : -1)!, n: y.shape.at(-1)!, products };
  return productOf(gpu, gpu.values(a), gpu.values(b), sizes, attrs);
}

export const matmulKernels = {
  matmul: (gpu, [a, b], [y], attrs) => gpu.give(y!, multiply(gpu, a!, b!, y!, attrs)),
  // y = c + a·b
  addmm: (gpu, [c, a, b], [y], attrs) => gpu.give(y!, plus(gpu, c!, multiply(gpu, a!, b!, y!, attrs), y!.shape)),
} satisfies Partial<KernelTable<Gpu>>;
