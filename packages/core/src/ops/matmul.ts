// Products of f32 with f32, or with a frozen 16-bit b that is widened as it is read. addmm adds to the product on the way, which saves a pass over it.
import { DTypeError, ShapeError } from "../error.ts";
import { apply, defineOp, summing } from "../op.ts";
import { type Shape, sameShape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { add } from "./elementwise.ts";
import { transpose } from "./permute.ts";
import { reshape } from "./reshape.ts";

/** Which operand is read transposed (its last two axes); kernels take all orientations, nothing is copied. */
export interface MatmulAttrs {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
/** Which operand is read transposed; neither if left out. */
export type MatmulOptions = Partial<MatmulAttrs>;

/** Products with at least this inner size cost more to compute again than to keep. */
const DEAR_INNER_SIZE = 64;

interface Sizes {
  readonly batch: Shape;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Leading axes of a are rows of one product where b is a matrix; where b has leading axes too, both must have the same, a product each. */
function sizes(op: string, a: Tensor, b: Tensor, { transposeA, transposeB }: MatmulAttrs): Sizes {
  const shapes = [a.shape, b.shape];
  if (a.dtype !== "f32")
    throw new DTypeError(op, [a.dtype, b.dtype], `a is ${a.dtype}; only b may be stored in 16 bits. Cast it with cast(x, "f32").`);
  if (b.dtype !== "f32" && b.dtype !== "bf16" && b.dtype !== "f16")
    throw new DTypeError(op, [a.dtype, b.dtype], `b is ${b.dtype}, not a float. Cast it with cast(x, "f32").`);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(op, shapes, `${show(a.shape)} · ${show(b.shape)}: both need at least two axes. Add one of size 1 with reshape.`);
  if (transposeA && b.shape.length === 2 && a.shape.length > 2)
    throw new ShapeError(
      op,
      shapes,
      `a transposed ${show(a.shape)} with leading axes against one matrix ${show(b.shape)}. Merge the leading axes with reshape.`,
    );
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [k2, n] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (k !== k2)
    throw new ShapeError(
      op,
      shapes,
      `inner sizes differ, ${show(a.shape)}${transposeA ? "ᵀ" : ""} · ${show(b.shape)}${transposeB ? "ᵀ" : ""} (${k} ≠ ${k2}). Transpose one, or check the order.`,
    );
  const batch = a.shape.slice(0, -2);
  if (b.shape.length > 2 && !sameShape(batch, b.shape.slice(0, -2)))
    throw new ShapeError(op, shapes, `leading axes differ, ${show(a.shape)} · ${show(b.shape)}.`);
  return { batch, m, k, n };
}

const rows = (x: Tensor): Tensor => (x.shape.length === 2 ? x : reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]));

/** A product, added to what has arrived where something has. */
const onto = (before: Tensor | undefined, a: Tensor, b: Tensor, options: MatmulOptions): Tensor =>
  before ? addmm(before, a, b, options) : matmul(a, b, options);

function gradA(b: Tensor, { transposeA: ta, transposeB: tb }: MatmulAttrs, grad: Tensor, before?: Tensor): Tensor {
  if (!ta) return onto(before, grad, b, { transposeB: !tb });
  if (b.dtype === "f32") return onto(before, b, grad, { transposeA: tb, transposeB: true });
  const product = transpose(matmul(grad, b, { transposeB: !tb })); // 16 bits stay on the right
  return before ? add(before, product) : product;
}
function gradB(a: Tensor, b: Tensor, { transposeA: ta, transposeB: tb }: MatmulAttrs, grad: Tensor, before?: Tensor): Tensor {
  const [x, g] = b.shape.length === 2 ? [rows(a), rows(grad)] : [a, grad];
  return tb ? onto(before, g, x, { transposeA: true, transposeB: ta }) : onto(before, x, g, { transposeA: !ta });
}

const gradients = (a: Tensor, b: Tensor, attrs: MatmulAttrs, grad: Tensor) =>
  [
    summing((before) => gradA(b, attrs, grad, before)),
    b.dtype === "f32" ? summing((before) => gradB(a, b, attrs, grad, before)) : null,
  ] as const;

// Y = A·B  [..., m, n] = [..., m, k]·[k, n]    dA = dY·Bᵀ    dB = Aᵀ·dY
export const matmulOp = defineOp({
  name: "matmul",
  infer: ([a, b]: readonly [Tensor, Tensor], attrs: MatmulAttrs) => {
    const { batch, m, n } = sizes("matmul", a, b, attrs);
    return { shape: [...batch, m, n], dtype: "f32" };
  },
  saves: [0, 1],
  dear: ([a], { transposeA }) => a.shape.at(transposeA ? -2 : -1)! >= DEAR_INNER_SIZE,
  vjp: ({ inputs: [a, b], attrs, grad }) => gradients(a, b, attrs, grad),
});

// Y = C + A·B, C of Y's shape or a row [n] that is added to each row    dC = dY
export const addmmOp = defineOp({
  name: "addmm",
  infer: ([c, a, b]: readonly [Tensor, Tensor, Tensor], attrs: MatmulAttrs) => {
    const { batch, m, n } = sizes("addmm", a, b, attrs);
    const shape = [...batch, m, n];
    checkAddend("addmm", c, shape, [a.shape, b.shape]);
    return { shape, dtype: "f32" };
  },
  saves: [1, 2],
  dear: ([, a], { transposeA }) => a.shape.at(transposeA ? -2 : -1)! >= DEAR_INNER_SIZE,
  vjp: ({ inputs: [, a, b], attrs, grad }) => [() => grad, ...gradients(a, b, attrs, grad)],
});

/** What may be added to a product of this shape: as much, or one row. Shared with qaddmm. */
export function checkAddend(op: string, c: Tensor, product: Shape, others: readonly Shape[]): void {
  if (c.dtype !== "f32") throw new DTypeError(op, [c.dtype], `adds in f32, but c is ${c.dtype}. Cast it with cast(x, "f32").`);
  const row = c.shape.length === 1 && c.shape[0] === product.at(-1);
  if (!row && !sameShape(c.shape, product))
    throw new ShapeError(
      op,
      [c.shape, ...others],
      `c has the shape ${show(c.shape)}, the product ${show(product)}. It must be that, or one row [${product.at(-1)}].`,
    );
}

/**
 * Matrix product of a [..., m, k] and b [k, n] (or [..., k, n]), each perhaps transposed. b may be bf16 or f16, and is frozen then.
 * @throws ShapeError if the inner sizes differ, DTypeError if a is not f32
 */
export const matmul = (a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor =>
  apply(matmulOp, [a, b], { transposeA, transposeB });

/**
 * c + a·b, where c has the product's shape or is one row [n].
 * @throws ShapeError if the sizes do not fit, DTypeError if a or c is not f32
 */
export const addmm = (c: Tensor, a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor =>
  apply(addmmOp, [c, a, b], { transposeA, transposeB });
