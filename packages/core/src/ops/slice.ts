// slice and pad are each other's gradient, so they share a file.
import { ArgumentError } from "../error.ts";
import { apply, defineOp } from "../op.ts";
import { normalizeAxis, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type One = readonly [Tensor];
const withSize = (x: Tensor, axis: number, size: number): number[] => x.shape.map((d, i) => (i === axis ? size : d));

/** Elements start … start + size − 1 of one axis. Any dtype. */
export const sliceOp = defineOp({
  name: "slice",
  infer: ([x]: One, { axis, start, size }: { readonly axis: number; readonly start: number; readonly size: number }) => {
    const end = start + size;
    if (!(Number.isInteger(start) && Number.isInteger(size) && start >= 0 && size >= 0 && end <= x.shape[axis]!))
      throw new ArgumentError(
        "slice",
        "start",
        [start, size],
        `${start} … ${end} is not within axis ${axis} of ${show(x.shape)}, which has ${x.shape[axis]} elements.`,
      );
    return { shape: withSize(x, axis, size), dtype: x.dtype };
  },
  vjp: ({ inputs: [x], attrs: { axis, start, size }, grad }) => [() => pad(grad, axis, start, x.shape[axis]! - start - size)],
});
/** Zeros before and after along one axis. */
export const padOp = defineOp({
  name: "pad",
  infer: ([x]: One, { axis, before, after }: { readonly axis: number; readonly before: number; readonly after: number }) => {
    if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0))
      throw new ArgumentError("pad", "before", [before, after], `pads with whole numbers of zeros, not ${before} and ${after}.`);
    return { shape: withSize(x, axis, before + x.shape[axis]! + after), dtype: x.dtype };
  },
  vjp: ({ inputs: [x], attrs: { axis, before }, grad }) => [() => slice(grad, axis, before, before + x.shape[axis]!)],
});

/** Elements start (included) to end (excluded) along one axis, of any dtype: [..., n, ...] → [..., end − start, ...]. @throws ArgumentError if they are not all there */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  return apply(sliceOp, [x], { axis: normalizeAxis("slice", x.shape, axis), start, size: end - start });
}
/** x with zeros before and after along one axis, of any dtype: [..., n, ...] → [..., before + n + after, ...]. @throws ArgumentError for counts that are not whole numbers */
export const pad = (x: Tensor, axis: number, before: number, after: number): Tensor =>
  apply(padOp, [x], { axis: normalizeAxis("pad", x.shape, axis), before, after });
/** Parts of the given sizes along one axis, in order, of any dtype: [..., n, ...] → [..., sizes[i], ...] each. @throws ArgumentError if they do not add up to the axis */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const at = normalizeAxis("split", x.shape, axis);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[at])
    throw new ArgumentError(
      "split",
      "sizes",
      sizes,
      `${show(sizes)} adds up to ${total}, but axis ${at} of ${show(x.shape)} has ${x.shape[at]} elements.`,
    );
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return slice(x, at, start - size, start);
  });
}
