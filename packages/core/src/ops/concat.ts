import { ArgumentError, DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { normalizeAxis, sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { slice } from "./slice.ts";

// Tensors one after the other along an axis; the gradient is cut the same way. Any dtype, the same for all.
export const concatOp = defineOp({
  name: "concat",
  infer: (inputs: readonly Tensor[], { axis }: { readonly axis: number }) => {
    const [first] = inputs as [Tensor];
    for (const x of inputs) {
      if (x.dtype !== first.dtype)
        throw new DTypeError(
          "concat",
          inputs.map((t) => t.dtype),
          `${first.dtype} and ${x.dtype} do not go into one tensor. Cast one.`,
        );
      const others = (t: Tensor): number[] => t.shape.filter((_, d) => d !== axis);
      if (x.shape.length !== first.shape.length || !sameShape(others(x), others(first)))
        throw new ShapeError(
          "concat",
          inputs.map((t) => t.shape),
          `${show(first.shape)} and ${show(x.shape)} differ beside axis ${axis}.`,
        );
    }
    const size = inputs.reduce((n, x) => n + x.shape[axis]!, 0);
    return { shape: first.shape.map((d, i) => (i === axis ? size : d)), dtype: first.dtype };
  },
  vjp: ({ inputs, attrs: { axis }, grad }) => {
    let start = 0;
    return inputs.map((x) => {
      const from = start;
      start += x.shape[axis]!;
      return () => slice(grad, axis, from, from + x.shape[axis]!);
    });
  },
});

/**
 * Tensors of one dtype one after the other along an axis, from the end when negative: [..., n₁, ...], [..., n₂, ...] → [..., n₁ + n₂, ...].
 * @throws ShapeError if another axis differs
 * @throws DTypeError if the dtypes differ
 * @throws ArgumentError if there is no tensor
 */
export function concat(inputs: readonly Tensor[], axis = 0): Tensor {
  const [first] = inputs;
  if (!first) throw new ArgumentError("concat", "inputs", inputs, "there are no tensors to join.");
  return apply(concatOp, inputs, { axis: normalizeAxis("concat", first.shape, axis) });
}
