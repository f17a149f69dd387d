// Picking rows, and adding into rows: each other's gradient. An embedding is the first of them.
import { ArgumentError, DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { type Shape, sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Two = readonly [Tensor, Tensor];
type None = Record<never, never>;

function checkIds(op: string, ids: Tensor): void {
  if (ids.dtype !== "i32") throw new DTypeError(op, [ids.dtype], `ids are i32, not ${ids.dtype}.`);
}

/** y[j, …] = x[ids[j], …]: x [rows, ...rest] of f32, bf16 or f16, ids i32 [...] → f32 [...ids, ...rest]. Ids are checked by whoever has them on the host. */
export const indexSelectOp = defineOp({
  name: "indexSelect",
  infer: ([x, ids]: Two, _: None) => {
    checkIds("indexSelect", ids);
    if (x.dtype !== "f32" && x.dtype !== "bf16" && x.dtype !== "f16")
      throw new DTypeError("indexSelect", [x.dtype], `picks rows of floats, not of ${x.dtype}.`);
    if (x.shape.length === 0) throw new ShapeError("indexSelect", [x.shape], "a scalar has no rows.");
    return { shape: [...ids.shape, ...x.shape.slice(1)] as Shape, dtype: "f32" };
  },
  saves: [1],
  vjp: ({ inputs: [x, ids], grad }) => [x.dtype === "f32" ? () => indexAdd(grad, ids, x.shape[0]!) : null, null],
});

/** y[ids[j], …] += x[j, …], from zeros, in the order of j: x f32 [...ids, ...rest] → f32 [rows, ...rest]. */
export const indexAddOp = defineOp({
  name: "indexAdd",
  infer: ([x, ids]: Two, { rows }: { readonly rows: number }) => {
    checkIds("indexAdd", ids);
    if (!Number.isSafeInteger(rows) || rows < 0) throw new ArgumentError("indexAdd", "rows", rows, `${rows} is no number of rows.`);
    if (!sameShape(x.shape.slice(0, ids.shape.length), ids.shape))
      throw new ShapeError("indexAdd", [x.shape, ids.shape], `${show(x.shape)} does not begin with the ids' shape ${show(ids.shape)}.`);
    return { shape: [rows, ...x.shape.slice(ids.shape.length)] as Shape, dtype: "f32" };
  },
  saves: [1],
  vjp: ({ inputs: [, ids], grad }) => [() => indexSelect(grad, ids), null],
});

/** Rows of x [rows, ...rest] by i32 ids [...]: f32 [...ids, ...rest]. @throws DTypeError, ShapeError */
export const indexSelect = (x: Tensor, ids: Tensor): Tensor => apply(indexSelectOp, [x, ids], {});
/** Adds the rows of x [...ids, ...rest] into zeros [rows, ...rest] at i32 ids [...]. @throws DTypeError, ShapeError */
export const indexAdd = (x: Tensor, ids: Tensor, rows: number): Tensor => apply(indexAddOp, [x, ids], { rows });
/** The vectors of tokens: rows of the table weight [vocabulary, width] by i32 ids [...]. @throws DTypeError, ShapeError */
export const embedding = (ids: Tensor, weight: Tensor): Tensor => indexSelect(weight, ids);
