// A part of one axis, and zeros around one axis. Around the axis a tensor is [outer, size, inner]; an outer row is size·inner elements on end.
import { type KernelTable, type Shape, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { moveElements } from "./move-elements.ts";

const inner = (shape: Shape, axis: number): number => sizeOf(shape.slice(axis + 1));

export const sliceKernels = {
  // y[o, s, i] = x[o, start + s, i]
  slice: (gpu, inputs, outputs, { axis, start, size }) => {
    const [x] = inputs as [View];
    const width = inner(x.shape, axis);
    moveElements(gpu, "slice", x, outputs[0]!, {
      source: "fn source(k: u32) -> u32 { return k / params.row * params.wholeRow + params.first + k % params.row; }",
      params: { row: size * width, wholeRow: x.shape[axis]! * width, first: start * width },
    });
  },
  // y[o, before + s, i] = x[o, s, i], zero elsewhere
  pad: (gpu, inputs, outputs, { axis, before }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const width = inner(x.shape, axis);
    moveElements(gpu, "pad", x, y, {
      source: `fn source(k: u32) -> u32 {
  let at = k % params.wholeRow;
  let inside = at >= params.first && at - params.first < params.row;
  return select(NOWHERE, k / params.wholeRow * params.row + at - params.first, inside);
}`,
      params: { row: x.shape[axis]! * width, wholeRow: y.shape[axis]! * width, first: before * width },
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
