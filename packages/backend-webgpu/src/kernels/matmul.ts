// Products of f32 with f32, f16 or bf16, and products that are added to something on the way.
import { type KernelTable, type MatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { stretchesOf } from "../part.ts";
import { type Gemm, gemm } from "./gemm.ts";
import { floats } from "./gemm-right.ts";
import { matmulInParts } from "./matmul-in-parts.ts";

/** Leading axes of b, where it has some, number the products; without them a's are rows of one product. */
function product(gpu: Gpu, name: string, a: View, b: View, y: View, attrs: MatmulAttrs, c?: View): void {
  const batched = b.shape.length > 2;
  const problem: Gemm = {
    name,
    batch: batched ? sizeOf(b.shape.slice(0, -2)) : 1,
    m: batched ? y.shape.at(-2)! : sizeOf(y.shape.slice(0, -1)),
    k: a.shape.at(attrs.transposeA ? -2 : -1)!,
    n: y.shape.at(-1)!,
    a,
    b: floats(b),
    y,
    c,
    ...attrs,
  };
  const parts = batched ? [] : stretchesOf(b, gpu.facts.maxBindingBytes);
  if (parts.length > 1) matmulInParts(gpu, problem, b, parts);
  else gemm(gpu, problem);
}

export const matmulKernels = {
  matmul: (gpu, inputs, outputs, attrs) => {
    const [a, b] = inputs as [View, View];
    product(gpu, "matmul", a, b, outputs[0]!, attrs);
  },
  addmm: (gpu, inputs, outputs, attrs) => {
    const [c, a, b] = inputs as [View, View, View];
    product(gpu, "addmm", a, b, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Gpu>>;
