// Products with a frozen quantized weight, which is unpacked as it is read: the whole matrix never exists in f32.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp, summing } from "../op.ts";
import type { QTensor } from "../qtensor.ts";
import type { QFormat } from "../quant/format.ts";
import { show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkAddend } from "./matmul.ts";

/** The format of the weight, and whether it is read transposed. */
export interface QmatmulAttrs {
  /** false: x·Wᵀ, from `in` to `out`. true: x·W, from `out` to `in`, which is the gradient's way. */
  readonly transposed: boolean;
  readonly format: QFormat;
}

function productShape(op: string, x: Tensor, w: QTensor, transposed: boolean): number[] {
  if (x.dtype !== "f32") throw new DTypeError(op, [x.dtype], `x is ${x.dtype}, not f32. Cast it with cast(x, "f32").`);
  if (w.shape.length !== 2)
    throw new ShapeError(op, [x.shape, w.shape], `the quantized weight has the shape ${show(w.shape)}, not [out, in].`);
  const [from, to] = transposed ? [w.shape[0]!, w.shape[1]!] : [w.shape[1]!, w.shape[0]!];
  if (x.shape.at(-1) !== from)
    throw new ShapeError(
      op,
      [x.shape, w.shape],
      `${show(x.shape)} does not end in ${from}, the ${transposed ? "out" : "in"} of ${show(w.shape)}.`,
    );
  return [...x.shape.slice(0, -1), to];
}

const product = (x: Tensor, w: QTensor, transposed: boolean, c?: Tensor): Tensor => {
  const attrs = { transposed, format: w.format };
  return c ? apply(qaddmmOp, [c, x, w], attrs) : apply(qmatmulOp, [x, w], attrs);
};

// Y = X·Wᵀ  [..., out] = [..., in]·[out, in]ᵀ     dX = dY·W     W is frozen: its slot is null, and TypeScript would refuse anything else.
export const qmatmulOp = defineOp({
  name: "qmatmul",
  infer: ([x, w]: readonly [Tensor, QTensor], { transposed }: QmatmulAttrs) => ({
    shape: productShape("qmatmul", x, w, transposed),
    dtype: "f32",
  }),
  saves: [1],
  dear: () => true,
  vjp: ({ inputs: [, w], attrs, grad }) => [summing((before) => product(grad, w, !attrs.transposed, before)), null],
});

// Y = C + X·Wᵀ, C of Y's shape or one row [out]     dC = dY, dX = dY·W
export const qaddmmOp = defineOp({
  name: "qaddmm",
  infer: ([c, x, w]: readonly [Tensor, Tensor, QTensor], { transposed }: QmatmulAttrs) => {
    const shape = productShape("qaddmm", x, w, transposed);
    checkAddend("qaddmm", c, shape, [x.shape, w.shape]);
    return { shape, dtype: "f32" };
  },
  saves: [2],
  dear: () => true,
  vjp: ({ inputs: [, , w], attrs, grad }) => [() => grad, summing((before) => product(grad, w, !attrs.transposed, before)), null],
});

/** x·Wᵀ for a frozen quantized weight W [out, in] and x [..., in]: f32 [..., out]. Gradients flow to x only (QLoRA §3, equation 5). @throws ShapeError, DTypeError */
export const qmatmul = (x: Tensor, w: QTensor): Tensor => product(x, w, false);
/** c + x·Wᵀ; c is [..., out] or one row [out]. @throws ShapeError, DTypeError */
export const qaddmm = (c: Tensor, x: Tensor, w: QTensor): Tensor => product(x, w, false, c);
