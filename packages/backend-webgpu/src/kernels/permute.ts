// The axes of a tensor in another order, copied. Axes that stay neighbours are merged first, so that programs differ by few ranks; sizes are params.
import { type KernelTable, type Shape, stridesOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { lanesOf, moveElements } from "./move-elements.ts";
import { type PlacedAxis, permuteInTiles } from "./permute-in-tiles.ts";

/** An axis of the output: its size, and the step in x from one of its elements to the next. */
interface Axis {
  size: number;
  step: number;
}

/** The axes of y, outermost first, where those that run on in x as they do in y are one. At least one. */
function mergedAxes(x: Shape, axes: readonly number[]): Axis[] {
  const strides = stridesOf(x);
  const merged: Axis[] = [];
  for (const axis of axes) {
    const size = x[axis]!;
    const step = strides[axis]!;
    const last = merged.at(-1);
    if (size === 1) continue;
    if (last && last.step === step * size) Object.assign(last, { size: last.size * size, step });
    else merged.push({ size, step });
  }
  return merged.length > 0 ? merged : [{ size: 1, step: 1 }];
}

/** Shorter axes leave most of a square empty. */
const LEAST = 8;

/** Through workgroup memory, if that is worth it: on a GPU, where neighbours of x become distant, of elements that are words. Says whether it was. */
function inTiles(gpu: Gpu, x: View, y: View, merged: readonly Axis[]): boolean {
  if (gpu.facts.software || lanesOf(x) > 1 || gpu.facts.maxInvocations < 256) return false;
  let place = 1;
  const placed: PlacedAxis[] = [];
  for (const axis of [...merged].reverse()) {
    placed.unshift({ ...axis, place });
    place *= axis.size;
  }
  const near = placed.find(({ step }) => step === 1);
  const far = placed.at(-1)!;
  if (!near || near === far || near.size < LEAST || far.size < LEAST) return false;
  permuteInTiles(
    gpu,
    x,
    y,
    near,
    far,
    placed.filter((axis) => axis !== near && axis !== far),
  );
  return true;
}

export const permuteKernels = {
  // y[i₀, i₁, …] = x[Σ i_d · step_d]
  permute: (gpu, inputs, outputs, { axes }) => {
    const [x] = inputs as [View];
    const merged = mergedAxes(x.shape, axes);
    if (inTiles(gpu, x, outputs[0]!, merged)) return;
    const params: Record<string, number> = {};
    const lines: string[] = [];
    for (let d = merged.length - 1; d >= 0; d--) {
      params[`step${d}`] = merged[d]!.step;
      if (d > 0) params[`size${d}`] = merged[d]!.size;
      lines.push(d > 0 ? `at += rest % params.size${d} * params.step${d}; rest /= params.size${d};` : "at += rest * params.step0;");
    }
    moveElements(gpu, "permute", x, outputs[0]!, {
      source: `fn source(k: u32) -> u32 {
  var rest = k;
  var at = 0u;
  ${lines.join("\n  ")}
  return at;
}`,
      params,
      constants: { RANK: merged.length },
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
