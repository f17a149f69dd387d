import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

const turn = (x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor, inverse: boolean): Tensor =>
  apply(ropeOp, [x, cos, sin, positions], { inverse });

// Rotary positions (Su et al. 2021) in the half-split layout of Hugging Face checkpoints. x [B, T, H, D], tables cos, sin [P, R/2], positions i32 [B, T];
// with i < R/2, c = cos[p, i], s = sin[p, i] at p = positions[b, t]:
//   y[i] = x[i]·c − x[i + R/2]·s     y[i + R/2] = x[i + R/2]·c + x[i]·s     y[j] = x[j] for j ≥ R (partial rotary)
// The gradient rotates back: the same with −s.
export const ropeOp = defineOp({
  name: "rope",
  infer: ([x, cos, sin, positions]: readonly [Tensor, Tensor, Tensor, Tensor], _: { readonly inverse: boolean }) => {
    const shapes = [x.shape, cos.shape, sin.shape, positions.shape];
    const floats = [x, cos, sin].every((t) => t.dtype === "f32");
    if (!floats || positions.dtype !== "i32")
      throw new DTypeError(
        "rope",
        [x.dtype, cos.dtype, sin.dtype, positions.dtype],
        `takes f32 x, cos, sin and i32 positions, not ${x.dtype}, ${cos.dtype}, ${sin.dtype}, ${positions.dtype}.`,
      );
    if (x.shape.length !== 4)
      throw new ShapeError("rope", shapes, `x has the shape ${show(x.shape)}, not [batch, time, heads, head size].`);
    if (cos.shape.length !== 2 || !sameShape(cos.shape, sin.shape) || cos.shape[1]! * 2 > x.shape[3]!)
      throw new ShapeError(
        "rope",
        shapes,
        `tables ${show(cos.shape)} and ${show(sin.shape)} are not both [positions, up to ${Math.floor(x.shape[3]! / 2)}].`,
      );
    if (!sameShape(positions.shape, x.shape.slice(0, 2)))
      throw new ShapeError("rope", shapes, `positions ${show(positions.shape)} are not [batch, time] of x ${show(x.shape)}.`);
    return { shape: x.shape, dtype: "f32" };
  },
  saves: [1, 2, 3],
  vjp: ({ inputs: [, cos, sin, positions], attrs: { inverse }, grad }) => [
    () => turn(grad, cos, sin, positions, !inverse),
    null,
    null,
    null,
  ],
});

/** x [batch, time, heads, head size] turned by the angles of its positions; cos and sin are tables [positions, half the rotated size]. @throws ShapeError, DTypeError */
export const rope = (x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor): Tensor => turn(x, cos, sin, positions, false);
