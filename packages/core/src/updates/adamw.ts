// One step of AdamW in place (Loshchilov & Hutter 2019), as torch.optim.AdamW computes it. The arithmetic, plainly: optim/adamw.ts.
import { DTypeError, ShapeError } from "../error.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { applyUpdate, defineUpdate } from "../update.ts";

/** The numbers of one step of AdamW. */
export interface AdamWAttrs {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Counts from 1. */
  readonly step: number;
}

// With ĝ = gradScale·g, each operation rounded to f32:     p ← p·(1 − lr·λ)     m ← m + (1 − β₁)(ĝ − m)     v ← β₂v + (1 − β₂)ĝ²     p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
export const adamWUpdate = defineUpdate({
  name: "adamW",
  check: ([p, m, v]: readonly [Tensor, Tensor, Tensor], [g, gradScale]: readonly [Tensor, Tensor], _: AdamWAttrs) => {
    const all = [p, m, v, g, gradScale];
    if (all.some((t) => t.dtype !== "f32"))
      throw new DTypeError(
        "adamW",
        all.map((t) => t.dtype),
        "parameter, moments and gradient are f32.",
      );
    for (const t of [m, v, g])
      if (!sameShape(t.shape, p.shape))
        throw new ShapeError(
          "adamW",
          [p.shape, t.shape],
          `a moment or gradient ${show(t.shape)} does not fit the parameter ${show(p.shape)}.`,
        );
    if (gradScale.shape.length !== 0)
      throw new ShapeError("adamW", [gradScale.shape], `gradScale is one number [], not ${show(gradScale.shape)}.`);
  },
});

/** Updates p and its moments m and v by the gradient g times the scalar tensor gradScale (where clipping comes in). @throws ShapeError, DTypeError */
export const adamW = (p: Tensor, m: Tensor, v: Tensor, g: Tensor, gradScale: Tensor, attrs: AdamWAttrs): void =>
  applyUpdate(adamWUpdate, [p, m, v], [g, gradScale], attrs);
