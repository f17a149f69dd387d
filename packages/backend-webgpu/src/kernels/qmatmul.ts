// Products with a quantized weight [out, in]: forward x·Wᵀ and, transposed, x·W, the gradient's way. W never exists in f32.
import { type KernelTable, type QmatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { gemm } from "./gemm.ts";
import { quantized } from "./gemm-right.ts";

function product(gpu: Gpu, name: string, x: View, weight: readonly View[], y: View, { transposed, format }: QmatmulAttrs, c?: View): void {
  gemm(gpu, {
    name,
    batch: 1,
    m: sizeOf(x.shape.slice(0, -1)),
    k: x.shape.at(-1)!,
    n: y.shape.at(-1)!,
    a: x,
    b: quantized(gpu, weight, format),
    y,
    c,
    transposeA: false,
    transposeB: !transposed,
  });
}

export const qmatmulKernels = {
  qmatmul: (gpu, inputs, outputs, attrs) => {
    const [x, ...weight] = inputs as [View, ...View[]];
    product(gpu, "qmatmul", x, weight, outputs[0]!, attrs);
  },
  qaddmm: (gpu, inputs, outputs, attrs) => {
    const [c, x, ...weight] = inputs as [View, View, ...View[]];
    product(gpu, "qaddmm", x, weight, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Gpu>>;
