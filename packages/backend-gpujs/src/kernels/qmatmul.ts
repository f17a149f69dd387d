// Products with a quantized weight [out, in]: two codes a byte, sixteen numbers, one scale a block. For few rows each number is unpacked as it is multiplied, and
// the whole matrix never exists in f32; for many it would be unpacked once a row, so it is unpacked first.
import { type KernelTable, type QmatmulAttrs, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";
import { productOf } from "./matmul.ts";
import { plus } from "./plus.ts";
import { scalesOf, unpackedWeights } from "./quantize.ts";

/** Up to this many rows unpacking as one goes is as fast. */
const FEW_ROWS = 4;
/** Beyond this many weights a position is not exact in f32, and the program below would miss. */
const MOST_WEIGHTS = 2 ** 24;

// y[row, out] = Σ_p x[row, p] · w[out, p], and transposed y[row, in] = Σ_p x[row, p] · w[p, in]: i = start + p·step is where that weight is in w.
const product = program(function (
  this: Thread,
  x: Matrix,
  codes: List,
  scales: List,
  codeBook: List,
  k: number,
  start: number,
  step: number,
  blockSize: number,
) {
  let sum = 0.0;
  for (let p = 0; p < k; p++) {
    const i = this.thread.x * start + p * step;
    const pair = Math.floor((i + 0.5) / 2); // two codes a byte,
    const high = Math.floor(codes[pair]! / 16); // the first in the high half
    const code = i % 2 === 0 ? high : codes[pair]! - high * 16;
    const weight = Math.fround(codeBook[code]! * scales[Math.floor((i + 0.5) / blockSize)]!);
    sum += x[this.thread.z]![p]! * weight;
  }
  return sum;
});

function multiply(gpu: Gpu, x: View, weightViews: readonly View[], y: View, { transposed, format }: QmatmulAttrs): Sized {
  const [codes, ...scales] = weightViews;
  const m = sizeOf(x.shape.slice(0, -1));
  const k = x.shape.at(-1)!;
  const n = y.shape.at(-1)!;
  if (m > FEW_ROWS || n * k > MOST_WEIGHTS) {
    const weights = unpackedWeights(gpu, weightViews, n * k, format);
    return productOf(gpu, gpu.values(x), weights, { m, k, n, products: 1 }, { transposeA: false, transposeB: !transposed });
  }
  const [start, step] = transposed ? [1, n] : [k, 1];
  const weight = [gpu.values(codes!), scalesOf(gpu, scales), format.codeBook];
  return gpu.run(product, [n, m], [gpu.values(x, [k, m]), ...weight, whole(k), whole(start), whole(step), whole(format.blockSize)]);
}

export const qmatmulKernels = {
  qmatmul: (gpu, [x, ...weight], [y], attrs) => gpu.give(y!, multiply(gpu, x!, weight, y!, attrs)),
  // y = c + x·Wᵀ
  qaddmm: (gpu, [c, x, ...weight], [y], attrs) => gpu.give(y!, plus(gpu, c!, multiply(gpu, x!, weight, y!, attrs), y!.shape)),
} satisfies Partial<KernelTable<Gpu>>;
