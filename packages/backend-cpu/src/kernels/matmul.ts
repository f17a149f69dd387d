// Launchers of matmul and addmm; the work is gemm/multiply.ts's.
import { type KernelTable, type MatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import type { FloatType } from "./gemm/describe.ts";
import { multiply } from "./gemm/multiply.ts";

/** Leading axes of b, where it has some, number the products; without them a's are rows of one product. */
function product(rt: Runtime, a: View, b: View, y: View, { transposeA, transposeB }: MatmulAttrs, c?: View): void {
  const batch = sizeOf(b.shape.slice(0, -2));
  multiply(rt, {
    m: b.shape.length > 2 ? y.shape.at(-2)! : sizeOf(y.shape.slice(0, -1)),
    n: y.shape.at(-1)!,
    k: a.shape.at(transposeA ? -2 : -1)!,
    a: rt.pointer(a),
    aTransposed: transposeA,
    b: { type: b.dtype as FloatType, pointer: rt.pointer(b), transposed: transposeB },
    c: rt.pointer(y),
    from: addend(rt, c, y),
    batch,
  });
}

/** What an op's c is to a product: as much as it, or a row of it. */
export const addend = (rt: Runtime, c: View | undefined, y: View): { pointer: number; row: boolean } | undefined =>
  c && { pointer: rt.pointer(c), row: c.shape.length < y.shape.length };

export const matmulKernels = {
  matmul: (rt, inputs, outputs, attrs) => {
    const [a, b] = inputs as [View, View];
    product(rt, a, b, outputs[0]!, attrs);
  },
  addmm: (rt, inputs, outputs, attrs) => {
    const [c, a, b] = inputs as [View, View, View];
    product(rt, a, b, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Runtime>>;
