import type { DType } from "../dtype.ts";
import { apply, defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

// The same values in another element type: widening is exact; narrowing to f16 or bf16 rounds to nearest, ties to even; to i32 and u8 it cuts towards 0
// and stays within the type's range, NaN becoming 0.
export const castOp = defineOp({
  name: "cast",
  infer: ([x]: readonly [Tensor], { dtype }: { readonly dtype: DType }) => ({ shape: x.shape, dtype }),
  vjp: ({ inputs: [x], grad }) => [() => cast(grad, x.dtype)],
});

/**
 * x in another element type, of the same shape; x itself if it has it already. Widening is exact; to f16 and bf16 it rounds to nearest, ties to even; to i32 and
 * u8 it cuts towards 0 and stays within the type's range, NaN becoming 0.
 */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x.retain() : apply(castOp, [x], { dtype }));
