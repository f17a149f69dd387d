import { ArgumentError, DTypeError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import type { RandomKey } from "../random.ts";
import type { Tensor } from "../tensor.ts";

/** Which elements are dropped: a pure function of the key and the place of an element. */
export interface DropoutAttrs {
  /** The share of elements that become 0. */
  readonly rate: number;
  readonly key: RandomKey;
}

const masked = (x: Tensor, attrs: DropoutAttrs): Tensor => apply(dropoutOp, [x], attrs);

// y[i] = uniformAt(key, i) < rate ? 0 : x[i] / (1 − rate)     dx = the same of dy: the mask is a function of (key, i), so it need not be kept
export const dropoutOp = defineOp({
  name: "dropout",
  infer: ([x]: readonly [Tensor], { rate }: DropoutAttrs) => {
    if (x.dtype !== "f32") throw new DTypeError("dropout", [x.dtype], `computes in f32, not ${x.dtype}. Cast first.`);
    if (!(rate >= 0 && rate < 1)) throw new ArgumentError("dropout", "rate", rate, `the rate ${rate} is not in [0, 1).`);
    return { shape: x.shape, dtype: x.dtype };
  },
  vjp: ({ attrs, grad }) => [() => masked(grad, attrs)],
});

/**
 * Sets a share of the elements of x to 0 and scales the rest by 1 / (1 − rate): f32 of any shape → the same shape. Which ones is a function of the key (random.ts).
 * @throws ArgumentError if the rate is not in [0, 1)
 * @throws DTypeError if x is not f32
 */
export const dropout = (x: Tensor, rate: number, key: RandomKey): Tensor => (rate === 0 ? x.retain() : masked(x, { rate, key }));
