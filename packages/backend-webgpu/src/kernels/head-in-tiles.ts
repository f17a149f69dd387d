// The two products of the head with its loss, for GPUs: what head-products.ts says, through workgroup memory, as other products are.
import type { View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";
import { partOf } from "../part.ts";
import { floats } from "./gemm-right.ts";
import { type Finish, gemmInTiles } from "./gemm-tiles.ts";
import { CAPPED, type Chunk, type Head } from "./head-products.ts";

const cap = (softcap: number | null): Finish | undefined =>
  softcap === null
    ? undefined
    : { constants: { is_capped: true }, params: { softcap: float(softcap) }, wgsl: CAPPED, of: (sum) => `capped(vec4f(${sum})).x` };

// e[r, v] = s = Σ_k x[r, k]·W[first + v, k], or softcap·tanh(s / softcap), for the chunk's v
export function headLogitsInTiles(gpu: Gpu, { x, weight, e, softcap }: Head, chunk: Chunk): void {
  const [m, k] = x.shape as [number, number];
  const b = floats(partOf(weight, chunk));
  const product = { name: "linearCrossEntropy: logits", batch: 1, m, k, n: chunk.count, a: x, b, y: e };
  const layout = { aRow: k, yRow: e.shape[1]!, aStep: 0, bStep: 0 };
  gemmInTiles(gpu, { ...product, transposeA: false, transposeB: true }, layout, cap(softcap));
}

// sums[part][r, d] = Σ_v e[r, v]·W[first + v, d], v over the part's span of the chunk: a product for each part
export function headGradientsInTiles(gpu: Gpu, { x, weight, e }: Head, chunk: Chunk, span: number, sums: View): void {
  const [m, n] = x.shape as [number, number];
  const b = floats(partOf(weight, chunk));
  const product = { name: "linearCrossEntropy: gradients", batch: sums.shape[0]!, m, k: span, n, a: e, b, y: sums };
  const layout = { aRow: e.shape[1]!, yRow: n, aStep: span, bStep: span * n, inner: chunk.count };
  gemmInTiles(gpu, { ...product, transposeA: false, transposeB: false }, layout);
}
