// Sizes and their algebra: pure functions, no tensors.
import { ShapeError } from "./error.ts";

/** Sizes of the axes, outermost first; `[]` is one number. */
export type Shape = readonly number[];

/** Number of elements; 1 for the scalar shape []. */
export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** A shape as messages have it: `[2, 3]`. */
export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Whether two shapes have the same axes. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, step = 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/**
 * The shape both broadcast to, aligned at the right.
 * @throws ShapeError where two sizes differ and neither is 1
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(op, [a, b], `${show(a)} and ${show(b)} do not broadcast (${x} against ${y}).`);
    return x === 1 ? y : x;
  });
}

/**
 * An axis counted from the end when negative, as a position from the start.
 * @throws ShapeError if there is no such axis
 */
export function normalizeAxis(op: string, shape: Shape, axis: number): number {
  const at = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= shape.length)
    throw new ShapeError(op, [shape], `there is no axis ${axis} in ${show(shape)}.`);
  return at;
}

/** @throws ShapeError unless every size is a whole number, 0 or more */
export function checkShape(op: string, shape: Shape): Shape {
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new ShapeError(op, [shape], `${show(shape)} is not a shape: sizes are whole numbers, 0 or more.`);
  return shape;
}
