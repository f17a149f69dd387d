import { ShapeError } from "../error.ts";
import { applyView } from "../op.ts";
import { checkShape, type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * The same values, row-major, under another shape; one size may be −1, which stands for what is left. Shares storage: no kernel runs.
 * @throws ShapeError if the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const size = sizeOf(x.shape);
  const known = sizeOf(shape.filter((d) => d !== -1));
  const full = shape.map((d) => (d === -1 ? size / known : d));
  if (shape.filter((d) => d === -1).length > 1)
    throw new ShapeError("reshape", [x.shape, shape], `${show(shape)} leaves more than one size open.`);
  if (!full.every(Number.isInteger) || sizeOf(full) !== size)
    throw new ShapeError("reshape", [x.shape, shape], `${show(x.shape)} (${size} elements) does not fit ${show(shape)}.`);
  checkShape("reshape", full);
  return applyView("reshape", x, full, (grad) => reshape(grad, x.shape));
}
