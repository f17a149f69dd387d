// Tensors one after the other along an axis: an outer row of the output is an outer row of each input, on end. One dispatch an input.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { asBits, lanesOf, moveElements } from "./move-elements.ts";

/** Where an input's rows lie in the output's, in elements. */
interface Place {
  /** Length of the input's row. */
  readonly length: number;
  /** Length of the output's. */
  readonly row: number;
  /** Where the one begins in the other. */
  readonly before: number;
}

export const concatKernels = {
  concat: (gpu, inputs, outputs, { axis }) => {
    const [y] = outputs as [View];
    const inner = sizeOf(y.shape.slice(axis + 1));
    const row = y.shape[axis]! * inner;
    let before = 0;
    for (const x of inputs) {
      const length = x.shape[axis]! * inner;
      if (sizeOf(x.shape) > 0) place(gpu, x, y, { length, row, before });
      before += length;
    }
  },
} satisfies Partial<KernelTable<Gpu>>;

/** y[o, before + i] = x[o, i] with i < length: word by word where rows are whole words, or by putting single elements into the words they share with others. */
function place(gpu: Gpu, x: View, y: View, { length, row, before }: Place): void {
  const lanes = lanesOf(x);
  if ([length, row, before].some((n) => n % lanes !== 0)) {
    moveElements(gpu, "concat", x, y, {
      source: `fn source(k: u32) -> u32 {
  let at = k % params.row;
  let inside = at >= params.before && at - params.before < params.len;
  return select(NOWHERE, k / params.row * params.len + at - params.before, inside);
}`,
      params: { len: length, row, before },
      elsewhere: "kept",
    });
    return;
  }
  gpu.dispatch({
    name: "concatWords",
    reads: { x: asBits(x) },
    writes: { y },
    as: { y: "u32" },
    params: { len: length / lanes, row: row / lanes, before: before / lanes },
    grid: { threads: sizeOf(x.shape) / lanes },
    wgsl: () => "fn thread(w: u32) { y[w / params.len * params.row + params.before + w % params.len] = bitcast<u32>(x_word(w)); }",
  });
}
