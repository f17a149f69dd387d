// A sum for kernels that add something to what they made. Not an op: no table entry.
import { type Shape, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

// y[i] = c[i] + x[i], c over and over
const sum = program(function (this: Thread, c: List, x: List, length: number) {
  return c[this.thread.x % length]! + x[this.thread.x]!;
});

/** x of a shape, and c added to it: of that shape, or of its last axes. */
export const plus = (gpu: Gpu, c: View, x: Sized, shape: Shape): Sized => {
  const n = sizeOf(shape);
  return gpu.run(sum, [n], [gpu.values(c), gpu.as(x, [n]), whole(sizeOf(c.shape))]);
};
