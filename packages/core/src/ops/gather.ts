// One element a row along the last axis, and its gradient: what a cross-entropy picks.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Two = readonly [Tensor, Tensor];

function check(op: string, x: Tensor, index: Tensor, rows: readonly number[]): void {
  if (index.dtype !== "i32" || x.dtype !== "f32")
    throw new DTypeError(op, [x.dtype, index.dtype], `takes f32 and i32 positions, not ${x.dtype} and ${index.dtype}.`);
  if (!sameShape(rows, index.shape))
    throw new ShapeError(op, [x.shape, index.shape], `positions ${show(index.shape)} are not one a row ${show(rows)}.`);
}

/** y[r] = x[r, index[r]]: x f32 [..., n], index i32 [...] → f32 [...]. */
export const gatherOp = defineOp({
  name: "gather",
  infer: ([x, index]: Two, _: Record<never, never>) => {
    check("gather", x, index, x.shape.slice(0, -1));
    return { shape: index.shape, dtype: "f32" };
  },
  saves: [1],
  vjp: ({ inputs: [x, index], grad }) => [() => scatter(grad, index, x.shape.at(-1)!), null],
});
/** y[r, index[r]] = x[r], zero elsewhere: x f32 [...], index i32 [...] → f32 [..., size]. */
export const scatterOp = defineOp({
  name: "scatter",
  infer: ([x, index]: Two, { size }: { readonly size: number }) => {
    check("scatter", x, index, x.shape);
    return { shape: [...x.shape, size], dtype: "f32" };
  },
  saves: [1],
  vjp: ({ inputs: [, index], grad }) => [() => gather(grad, index), null],
});

/** One element a row: x [..., n] at i32 positions index [...]. @throws ShapeError, DTypeError */
export const gather = (x: Tensor, index: Tensor): Tensor => apply(gatherOp, [x, index], {});
/** Rows of `size` zeros with one element each: x [...] at i32 positions index [...]. @throws ShapeError, DTypeError */
export const scatter = (x: Tensor, index: Tensor, size: number): Tensor => apply(scatterOp, [x, index], { size });
