// softmax and logSoftmax over the last axis: a workgroup a row, shifted by the row's largest so that no exponential overflows.
import { type Kernel, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";
import { MATH } from "./math.ts";
import { foldsOn, WIDTH } from "./workgroup-fold.ts";

/** y[r, i] = result, of shifted = x[r, i] − the row's largest and sum = Σ e^shifted: x [rows, n] */
const byRow =
  (name: string, result: string, functions: string): Kernel<Gpu, Record<never, never>> =>
  (gpu, inputs, outputs) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const folds = foldsOn(gpu);
    gpu.dispatch({
      name,
      ...folds.how,
      constants: folds.constants,
      reads: { x },
      writes: { y },
      params: { n: x.shape.at(-1)!, least: float(Number.NEGATIVE_INFINITY) },
      grid: { workgroups: sizeOf(x.shape.slice(0, -1)), size: WIDTH },
      wgsl: () => `${folds.largest}
${folds.total}
${functions}
fn block(group: u32, local: u32) {
  let row = group * params.n;
  var own = params.least;
  for (var i = local; i < params.n; i += ${WIDTH}u) { own = largest_of_two(own, x_at(row + i)); }
  let peak = largest(local, own);
  var part = 0.0;
  for (var i = local; i < params.n; i += ${WIDTH}u) { part += exp_(x_at(row + i) - peak); }
  let sum = total(local, part);
  for (var i = local; i < params.n; i += ${WIDTH}u) {
    let shifted = x_at(row + i) - peak;
    y[row + i] = ${result};
  }
}`,
    });
  };

export const softmaxKernels = {
  softmax: byRow("softmax", "exp_(shifted) / sum", MATH.exp),
  logSoftmax: byRow("logSoftmax", "shifted - log_(sum)", `${MATH.exp}\n${MATH.log}`),
} satisfies Partial<KernelTable<Gpu>>;
