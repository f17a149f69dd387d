import { ArgumentError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { normalizeAxis, type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

// y[i_p0, i_p1, …] = x[i_0, i_1, …]: axis d of the result is axis axes[d] of x, copied in the new order. Any dtype.
export const permuteOp = defineOp({
  name: "permute",
  infer: ([x]: readonly [Tensor], { axes }: { readonly axes: readonly number[] }) => {
    const complete = axes.length === x.shape.length && x.shape.every((_, d) => axes.includes(d));
    if (!complete)
      throw new ArgumentError(
        "permute",
        "axes",
        axes,
        `${show(axes)} is not an order of the ${x.shape.length} axes of ${show(x.shape)}. Name each once.`,
      );
    return { shape: axes.map((d) => x.shape[d]!) as Shape, dtype: x.dtype };
  },
  vjp: ({ attrs: { axes }, grad }) => [
    () =>
      permute(
        grad,
        axes.map((_, d) => axes.indexOf(d)),
      ),
  ],
});

/** The axes of x in another order, of any dtype: axis d of the result is axis axes[d] of x. @throws ArgumentError unless each axis is named once */
export const permute = (x: Tensor, axes: readonly number[]): Tensor =>
  apply(permuteOp, [x], { axes: axes.map((a) => normalizeAxis("permute", x.shape, a)) });

/** Two axes of x exchanged, of any dtype; the last two if none are named: [..., m, n] → [..., n, m]. @throws ShapeError if there is no such axis */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const [from, to] = [normalizeAxis("transpose", x.shape, a), normalizeAxis("transpose", x.shape, b)];
  return permute(
    x,
    x.shape.map((_, d) => (d === from ? to : d === to ? from : d)),
  );
}
