// Launchers of qmatmul and qaddmm: W [out, in] in 4 bits, x·Wᵀ forward and x·W for the gradient; the work is gemm/multiply.ts's.
import { type KernelTable, type QFormat, type QmatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import type { QuantizedWeight } from "./gemm/describe.ts";
import { multiply } from "./gemm/multiply.ts";
import { addend } from "./matmul.ts";

/** A quantized tensor from its views: codes, then absmax — or absmax codes, absmax of those, offset. */
export function weightOf(rt: Runtime, [codes, scales, scales2, offset]: readonly View[], format: QFormat, width: number): QuantizedWeight {
  return {
    format,
    codes: rt.pointer(codes!),
    scales: rt.pointer(scales!),
    nested: scales2 && offset && { scales2: rt.pointer(scales2), offset: rt.pointer(offset) },
    width,
  };
}

function product(rt: Runtime, x: View, weight: readonly View[], y: View, { transposed, format }: QmatmulAttrs, c?: View): void {
  const k = x.shape.at(-1)!;
  const n = y.shape.at(-1)!;
  multiply(rt, {
    m: sizeOf(x.shape.slice(0, -1)),
    n,
    k,
    a: rt.pointer(x),
    b: { weight: weightOf(rt, weight, format, transposed ? n : k), transposed: !transposed },
    c: rt.pointer(y),
    from: addend(rt, c, y),
  });
}

export const qmatmulKernels = {
  qmatmul: (rt, inputs, outputs, attrs) => {
    const [x, ...weight] = inputs as [View, ...View[]];
    product(rt, x, weight, outputs[0]!, attrs);
  },
  qaddmm: (rt, inputs, outputs, attrs) => {
    const [c, x, ...weight] = inputs as [View, View, ...View[]];
    product(rt, x, weight, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Runtime>>;
