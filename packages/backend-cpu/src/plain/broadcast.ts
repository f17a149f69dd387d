// Which element of a smaller tensor goes with each element of a larger one, for every kernel that broadcasts or reduces.
import { type Shape, sizeOf, stridesOf } from "@qlora-js/core";

/** For each element of `large`, row-major, the position in `small` of the element that is repeated there. `small` must broadcast to `large`. */
export function positionsIn(small: Shape, large: Shape): Int32Array {
  const lead = large.length - small.length;
  const strides = stridesOf(small);
  const step = large.map((_, d) => (d < lead || small[d - lead] === 1 ? 0 : strides[d - lead]!));
  const positions = new Int32Array(sizeOf(large));
  const index = large.map(() => 0);
  for (let i = 0, at = 0; i < positions.length; i++) {
    positions[i] = at;
    for (let d = large.length - 1; d >= 0; d--) {
      at += step[d]!;
      if (++index[d]! < large[d]!) break;
      at -= step[d]! * large[d]!;
      index[d] = 0;
    }
  }
  return positions;
}

/** A shape around one axis: the sizes before it, its own, and the sizes after it, each multiplied together. */
export function aroundAxis(shape: Shape, axis: number): { readonly outer: number; readonly size: number; readonly inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Rows along the last axis: how many, and how long. */
export function rowsOf(shape: Shape): { readonly rows: number; readonly n: number } {
  return { rows: sizeOf(shape.slice(0, -1)), n: shape.at(-1) ?? 1 };
}
