// Launcher of permute. Axes that stay neighbours are joined; of what remains, runs are copied whole, 4-byte matrices are turned in blocks, and the rest goes
// element by element.
import { BYTES, type KernelTable, sizeOf, stridesOf } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

interface Axis {
  size: number;
  stride: number;
}

/** The output's axes with their strides in x, outer first, without those of size 1, neighbours joined. */
function axesOf(shape: readonly number[], order: readonly number[]): Axis[] {
  const strides = stridesOf(shape);
  const axes: Axis[] = [];
  for (const d of order) {
    const [size, stride] = [shape[d]!, strides[d]!];
    const outer = axes.at(-1);
    if (size === 1) continue;
    if (outer && outer.stride === stride * size) {
      outer.size *= size;
      outer.stride = stride;
    } else axes.push({ size, stride });
  }
  return axes;
}

export const permuteKernels = {
  permute: (rt, inputs, outputs, attrs) => {
    const [[x], [y]] = [inputs, outputs];
    const axes = axesOf(x!.shape, attrs.axes);
    if (axes.length > 4) return plainKernels.permute(rt, inputs, outputs, attrs);
    if (sizeOf(x!.shape) === 0) return;
    while (axes.length < 4) axes.unshift({ size: 1, stride: 0 });
    const [n0, n1, n2, n3] = axes.map(({ size }) => size) as [number, number, number, number];
    const [s0, s1, s2, s3] = axes.map(({ stride }) => stride) as [number, number, number, number];
    const size = BYTES[x!.dtype];
    const pointers = [rt.pointer(y!), rt.pointer(x!)];
    const grain = Math.max(1, Math.floor(CHUNK / n3));
    if (n3 === 1 || s3 === 1) rt.run("permuteRows", [...pointers, size, n1, n2, n3, s0, s1, s2], n0 * n1 * n2, grain);
    else if (s2 === 1 && size === 4)
      rt.run(
        "permuteTransposed",
        [...pointers, n1, n2, n3, s0, s1, s3],
        n0 * n1 * Math.ceil(n2 / 16),
        Math.max(1, Math.floor(CHUNK / (16 * n3))),
      );
    else rt.run("permuteElements", [...pointers, size, n1, n2, n3, s0, s1, s2, s3], n0 * n1 * n2, grain);
  },
} satisfies Partial<KernelTable<Runtime>>;
