// What kernels read and write: values of any dtype as numbers, and elements that are only moved, as bits.
import { bf16ToNumber, type DType, f16ToNumber, numberToBf16, numberToF16, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";

/** A view's elements, to be moved and not computed with; f32 as its bits, so that a NaN keeps them all. */
export function elements(host: Host, view: View): Int32Array | Uint16Array | Uint8Array {
  switch (view.dtype) {
    case "f32":
    case "i32":
      return host.i32(view);
    case "f16":
    case "bf16":
      return host.u16(view);
    case "u8":
      return host.u8(view);
  }
}

/** The values of any dtype as numbers. A copy for f16 and bf16, the buffer itself for the others. */
export function numbers(host: Host, view: View): Float32Array | Int32Array | Uint8Array {
  switch (view.dtype) {
    case "f32":
      return host.f32(view);
    case "i32":
      return host.i32(view);
    case "u8":
      return host.u8(view);
    case "bf16":
      return Float32Array.from(host.u16(view), bf16ToNumber);
    case "f16":
      return Float32Array.from(host.u16(view), f16ToNumber);
  }
}

/** How a number is held in a dtype: floats round to nearest, whole numbers cut towards 0 and stay within their range, NaN becoming 0. */
export const NARROW: Record<DType, (value: number) => number> = {
  f32: (value) => value,
  bf16: numberToBf16,
  f16: numberToF16,
  i32: (value) => clamp(value, -(2 ** 31), 2 ** 31 - 1),
  u8: (value) => clamp(value, 0, 255),
};

const clamp = (value: number, low: number, high: number): number =>
  Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), high);
