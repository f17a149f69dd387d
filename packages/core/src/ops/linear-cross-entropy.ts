// The head and the loss in one: logits exist a chunk of rows at a time, never whole (4·rows·vocabulary bytes are often more than all the rest).
// The head is frozen; where it is trained, crossEntropy(matmul(…)) does the same, and is this op's reference in tests.
import { ArgumentError, DTypeError, GradientError, ShapeError } from "../error.ts";
import { applyAll, defineOp, isTracked } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { mul } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

/** What the head and the loss in one are told. */
export interface LinearCrossEntropyAttrs {
  readonly withGradient: boolean;
  /** Logits s become softcap·tanh(s / softcap) (Gemma 2's `final_logit_softcapping`); null: they stay as they are. */
  readonly softcap: number | null;
}
/** What may be left out: logits have no cap then. */
export type LinearCrossEntropyOptions = Partial<Pick<LinearCrossEntropyAttrs, "softcap">>;

// z = s = x·Wᵀ [rows, V], or softcap·tanh(s / softcap)     loss[r] = ln Σ_v e^z[r,v] − z[r, targets[r]]
// u[r] = Σ_v softmax(z[r])[v]·dz/ds·W[v] − dz/ds·W[targets[r]], the gradient of loss[r] by x[r]; dz/ds = 1, or 1 − (z / softcap)²
// x f32 [rows, n], W [V, n] f32, bf16 or f16, targets i32 [rows] → loss f32 [rows], u f32 [rows, n] (no rows where no gradient is wanted)
export const linearCrossEntropyOp = defineOp({
  name: "linearCrossEntropy",
  infer: ([x, weight, targets]: readonly [Tensor, Tensor, Tensor], { withGradient, softcap }: LinearCrossEntropyAttrs) => {
    const shapes = [x.shape, weight.shape, targets.shape];
    if (x.dtype !== "f32" || targets.dtype !== "i32" || weight.dtype === "i32" || weight.dtype === "u8")
      throw new DTypeError(
        "linearCrossEntropy",
        [x.dtype, weight.dtype, targets.dtype],
        `takes f32 x, a weight of floats and i32 targets, not ${x.dtype}, ${weight.dtype}, ${targets.dtype}.`,
      );
    if (x.shape.length !== 2 || weight.shape.length !== 2 || x.shape[1] !== weight.shape[1])
      throw new ShapeError(
        "linearCrossEntropy",
        shapes,
        `x ${show(x.shape)} and the head ${show(weight.shape)} are not [rows, n] and [vocabulary, n].`,
      );
    if (!sameShape(targets.shape, [x.shape[0]!]))
      throw new ShapeError("linearCrossEntropy", shapes, `targets ${show(targets.shape)} are not one a row of x ${show(x.shape)}.`);
    if (softcap !== null && !(Number.isFinite(softcap) && softcap > 0))
      throw new ArgumentError(
        "linearCrossEntropy",
        "softcap",
        softcap,
        `logits cannot be capped at ${softcap}. Give a number above 0, or null.`,
      );
    return [
      { shape: targets.shape, dtype: "f32" },
      { shape: withGradient ? x.shape : [0, x.shape[1]!], dtype: "f32" },
    ];
  },
  savesOutputs: [1],
  vjp: ({ outputs, grad }) => [() => mul(outputs[1]!, reshape(grad, [-1, 1])), null, null],
});

/**
 * Cross-entropy of each row of x [rows, n] against its target, with logits x·weightᵀ for a frozen head weight [vocabulary, n]: f32 [rows].
 * Logits may be capped smoothly. Targets must be in range (the caller checks, on the host).
 * @throws ShapeError, DTypeError, ArgumentError, GradientError if a gradient is asked of the head
 */
export function linearCrossEntropy(x: Tensor, weight: Tensor, targets: Tensor, { softcap = null }: LinearCrossEntropyOptions = {}): Tensor {
  if (isTracked(weight))
    throw new GradientError(
      "linearCrossEntropy: the head is frozen here. To train it, use crossEntropy(matmul(x, weight, { transposeB: true }), targets).",
    );
  const attrs = { withGradient: isTracked(x), softcap };
  const [losses, gradient] = applyAll(linearCrossEntropyOp, [x, weight, targets], attrs) as [Tensor, Tensor];
  gradient.dispose();
  return losses;
}
