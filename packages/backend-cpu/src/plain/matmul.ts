// Products of matrices, sums in f64. Either operand may be read transposed; a 16-bit b is widened first.
import { type KernelTable, type MatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { positionsIn } from "./broadcast.ts";
import { numbers } from "./values.ts";

type Values = Float32Array | Int32Array | Uint8Array;

/** What one product multiplies, and where its matrices begin. */
interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: Values;
  readonly b: Values;
  readonly fromA: number;
  readonly fromB: number;
}

/** y[i, j] = c[i, j] + Σ_p a[i, p]·b[p, j], row by row; c is absent or reads its addend by position in y. */
export function multiply(
  y: Float32Array,
  fromY: number,
  { m, k, n, a, b, fromA, fromB }: Product,
  { transposeA, transposeB }: MatmulAttrs,
  addend: (position: number) => number = () => 0,
): void {
  const [aRow, aStep] = transposeA ? [1, m] : [k, 1];
  const [bRow, bStep] = transposeB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    const row = Float64Array.from({ length: n }, (_, j) => addend(fromY + i * n + j));
    for (let p = 0; p < k; p++) {
      const factor = a[fromA + i * aRow + p * aStep]!;
      for (let j = 0; j < n; j++) row[j]! += factor * b[fromB + p * bRow + j * bStep]!;
    }
    y.set(row, fromY + i * n);
  }
}

/** What is added to each element of a product: nothing, or c of its shape or one row of it. */
export function addendOf(host: Host, c: View | undefined, y: View): ((position: number) => number) | undefined {
  if (!c) return undefined;
  const values = host.f32(c);
  const at = positionsIn(c.shape, y.shape);
  return (position) => values[at[position]!]!;
}

/** Leading axes of b, where it has some, number the products; without them a's are rows of one product. */
function product(host: Host, a: View, b: View, y: View, attrs: MatmulAttrs, c?: View): void {
  const n = y.shape.at(-1)!;
  const k = a.shape.at(attrs.transposeA ? -2 : -1)!;
  const products = sizeOf(b.shape.slice(0, -2));
  const m = b.shape.length > 2 ? y.shape.at(-2)! : sizeOf(y.shape.slice(0, -1));
  const operands = { m, k, n, a: host.f32(a), b: numbers(host, b) };
  const addend = addendOf(host, c, y);
  for (let i = 0; i < products; i++) multiply(host.f32(y), i * m * n, { ...operands, fromA: i * m * k, fromB: i * k * n }, attrs, addend);
}

export const matmulKernels = {
  matmul: (host, inputs, outputs, attrs) => {
    const [a, b] = inputs as [View, View];
    product(host, a, b, outputs[0]!, attrs);
  },
  addmm: (host, inputs, outputs, attrs) => {
    const [c, a, b] = inputs as [View, View, View];
    product(host, a, b, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Host>>;
