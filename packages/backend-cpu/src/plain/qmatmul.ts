// Products with a quantized weight [out, in]: unpacked whole, then multiplied. Backends that are fast unpack as they go.
import { type KernelTable, type QmatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { addendOf, multiply } from "./matmul.ts";
import { weightReader } from "./quantize.ts";

function product(host: Host, x: View, weight: readonly View[], y: View, { transposed, format }: QmatmulAttrs, c?: View): void {
  const m = sizeOf(x.shape.slice(0, -1));
  const k = x.shape.at(-1)!;
  const n = y.shape.at(-1)!;
  const read = weightReader(host, weight, format);
  const b = Float32Array.from({ length: k * n }, (_, i) => read(i));
  multiply(
    host.f32(y),
    0,
    { m, k, n, a: host.f32(x), b, fromA: 0, fromB: 0 },
    { transposeA: false, transposeB: !transposed },
    addendOf(host, c, y),
  );
}

export const qmatmulKernels = {
  qmatmul: (host, inputs, outputs, attrs) => {
    const [x, ...weight] = inputs as [View, ...View[]];
    product(host, x, weight, outputs[0]!, attrs);
  },
  qaddmm: (host, inputs, outputs, attrs) => {
    const [c, x, ...weight] = inputs as [View, View, ...View[]];
    product(host, x, weight, outputs[0]!, attrs, c);
  },
} satisfies Partial<KernelTable<Host>>;
