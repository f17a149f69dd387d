import { DTypeError, ShapeError } from "../error.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { applyUpdate, defineUpdate } from "../update.ts";

// y ← y + x, in place: gradients of several micro-batches
export const accumulateUpdate = defineUpdate({
  name: "accumulate",
  check: ([y]: readonly [Tensor], [x]: readonly [Tensor], _: Record<never, never>) => {
    if (y.dtype !== "f32" || x.dtype !== "f32")
      throw new DTypeError("accumulate", [y.dtype, x.dtype], `adds f32 to f32, not ${x.dtype} to ${y.dtype}.`);
    if (!sameShape(x.shape, y.shape))
      throw new ShapeError("accumulate", [y.shape, x.shape], `${show(x.shape)} is not added to ${show(y.shape)}.`);
  },
});

/** Adds x to y in place. @throws ShapeError, DTypeError */
export const accumulate = (y: Tensor, x: Tensor): void => applyUpdate(accumulateUpdate, [y], [x], {});
