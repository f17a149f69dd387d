// One step of AdamW with moments in 8 bits, blockwise (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"), as bitsandbytes computes it.
// The arithmetic, plainly: optim/adamw-8bit.ts.
import { DTypeError, ShapeError } from "../error.ts";
import { MOMENT_BLOCK } from "../optim/adamw-8bit.ts";
import { sameShape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { applyUpdate, defineUpdate } from "../update.ts";
import type { AdamWAttrs } from "./adamw.ts";

// For each block of 256: m, v from their codes (signed and unsigned dynamic map) times absmax; the step of adamW with them; new absmax and codes of both.
export const adamW8bitUpdate = defineUpdate({
  name: "adamW8bit",
  check: (
    [p, m, v, mMax, vMax]: readonly [p: Tensor, m: Tensor, v: Tensor, mMax: Tensor, vMax: Tensor],
    [g, gradScale]: readonly [Tensor, Tensor],
    _: AdamWAttrs,
  ) => {
    if ([p, g, gradScale, mMax, vMax].some((t) => t.dtype !== "f32") || m.dtype !== "u8" || v.dtype !== "u8")
      throw new DTypeError(
        "adamW8bit",
        [p.dtype, m.dtype, v.dtype, g.dtype],
        "parameter and gradient are f32, moments u8 with f32 scales.",
      );
    for (const t of [m, v, g])
      if (!sameShape(t.shape, p.shape))
        throw new ShapeError(
          "adamW8bit",
          [p.shape, t.shape],
          `a moment or gradient ${show(t.shape)} does not fit the parameter ${show(p.shape)}.`,
        );
    const blocks = [Math.ceil(sizeOf(p.shape) / MOMENT_BLOCK)];
    for (const t of [mMax, vMax])
      if (!sameShape(t.shape, blocks))
        throw new ShapeError("adamW8bit", [p.shape, t.shape], `scales ${show(t.shape)} are not one a block, ${show(blocks)}.`);
  },
});

/** Updates p and its moments' codes m, v u8 and scales mMax, vMax f32 [⌈n/256⌉] by the gradient g times gradScale []. @throws ShapeError, DTypeError */
export function adamW8bit(
  p: Tensor,
  state: { readonly m: Tensor; readonly v: Tensor; readonly mMax: Tensor; readonly vMax: Tensor },
  g: Tensor,
  gradScale: Tensor,
  attrs: AdamWAttrs,
): void {
  applyUpdate(adamW8bitUpdate, [p, state.m, state.v, state.mMax, state.vMax], [g, gradScale], attrs);
}
