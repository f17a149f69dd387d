// Products of matrices: one thread, one element, one loop. Either operand may be read transposed. Leading axes of b, where it has some, number the products;
// without them a's are rows of one product.
import { type KernelTable, type MatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type Cube, program, type Thread } from "../program.ts";
import { plus } from "./plus.ts";

// y[row, column] = Σ_p a[row, p]·b[p, column], in each of several products of m rows
const product = program(function (this: Thread, a: Cube, b: Cube, k: number, m: number) {
  const which = Math.floor((this.thread.z + 0.5) / m);
  const row = this.thread.z - which * m;
  let sum = 0.0;
  for (let p = 0; p < k; p++) sum += a[which]![row]![p]! * b[which]![p]![this.thread.x]!;
  return sum;
});

// … b[column, p]
const productTransposedB = program(function (this: Thread, a: Cube, b: Cube, k: number, m: number) {
  const which = Math.floor((this.thread.z + 0.5) / m);
  const row = this.thread.z - which * m;
  let sum = 0.0;
  for (let p = 0; p < k; p++) sum += a[which]![row]![p]! * b[which]![this.thread.x]![p]!;
  return sum;
});

// … a[p, row]
const productTransposedA = program(function (this: Thread, a: Cube, b: Cube, k: number, m: number) {
  const which = Math.floor((this.thread.z + 0.5) / m);
  const row = this.thread.z - which * m;
  let sum = 0.0;
  for (let p = 0; p < k; p++) sum += a[which]![p]![row]! * b[which]![p]![this.thread.x]!;
  return sum;
});

const productTransposedBoth = program(function (this: Thread, a: Cube, b: Cube, k: number, m: number) {
  const which = Math.floor((this.thread.z + 0.5) / m);
  const row = this.thread.z - which * m;
  let sum = 0.0;
  for (let p = 0; p < k; p++) sum += a[which]![p]![row]! * b[which]![this.thread.x]![p]!;
  return sum;
});

/** How many products, and their sizes: [m, k]·[k, n]. */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly products: number;
}

/** a·b of what two lists hold, either of them transposed. */
export function productOf(
  gpu: Gpu,
  a: Sized,
  b: Sized,
  { m, k, n, products }: ProductSizes,
  { transposeA, transposeB }: MatmulAttrs,
): Sized {
  const untransposedA = transposeB ? productTransposedB : product;
  const program = transposeA ? (transposeB ? productTransposedBoth : productTransposedA) : untransposedA;
  const cubeA = gpu.as(a, transposeA ? [m, k, products] : [k, m, products]);
  const cubeB = gpu.as(b, transposeB ? [k, n, products] : [n, k, products]);
  return gpu.run(program, [n, m * products], [cubeA, cubeB, whole(k), whole(m)]);
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
