// The same values in another element type, on their bits: every conversion rounds, cuts and holds its range as core's half.ts says, whatever the GPU does with
// subnormals, infinities and NaN. Floats go by way of f32, whole numbers by way of i32.
import { BYTES, type DType, type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { asBits, lanesOf } from "./move-elements.ts";

type Kind = "float" | "whole";
const KIND: Record<DType, Kind> = { f32: "float", f16: "float", bf16: "float", i32: "whole", u8: "whole" };

/** WGSL of element i, x's bits widened to those of an f32 or an i32. */
const LOADED: Record<DType, string> = {
  f32: "bitcast<u32>(x_word(i))",
  f16: "widened((x_word(i >> 1u) >> ((i & 1u) * 16u)) & 0xffffu)",
  bf16: "select(x_word(i >> 1u) << 16u, x_word(i >> 1u) & 0xffff0000u, (i & 1u) == 1u)",
  i32: "bitcast<u32>(x_word(i))",
  u8: "x_at(i)",
};

/** WGSL of the narrower bits of b, an f32 or an i32. */
const NARROWED: Record<Kind, Record<DType, string>> = {
  float: { f32: "b", f16: "to_f16(b)", bf16: "to_bf16(b)", i32: "to_i32(b)", u8: "u32(clamp(bitcast<i32>(to_i32(b)), 0, 255))" },
  whole: { f32: "to_f32(b)", f16: "to_f16(to_f32(b))", bf16: "to_bf16(to_f32(b))", i32: "b", u8: "u32(clamp(bitcast<i32>(b), 0, 255))" },
};

const CONVERSIONS = `
// f16 to f32, exact; a subnormal one is fraction·2⁻²⁴
fn widened(h: u32) -> u32 {
  let sign = (h & 0x8000u) << 16u;
  let exponent = (h >> 10u) & 31u;
  let fraction = h & 0x3ffu;
  if (exponent == 31u) { return sign | select(0x7f800000u, 0x7fc00000u, fraction != 0u); }
  if (exponent > 0u) { return sign | ((exponent + 112u) << 23u) | (fraction << 13u); }
  if (fraction == 0u) { return sign; }
  let zeros = countLeadingZeros(fraction);
  return sign | ((134u - zeros) << 23u) | ((fraction << (zeros - 8u)) & 0x7fffffu);
}
// m / 2^cut to nearest, ties to even; 0 < cut < 32
fn cut_off(m: u32, cut: u32) -> u32 { return (m + (1u << (cut - 1u)) - 1u + ((m >> cut) & 1u)) >> cut; }
fn to_bf16(b: u32) -> u32 {
  if ((b & 0x7fffffffu) > 0x7f800000u) { return 0x7fc0u; }
  return ((b >> 16u) & 0x8000u) | cut_off(b & 0x7fffffffu, 16u);
}
// beyond 65520 infinite, below 2⁻¹⁴ a multiple of 2⁻²⁴
fn to_f16(b: u32) -> u32 {
  let sign = (b >> 16u) & 0x8000u;
  let a = b & 0x7fffffffu;
  if (a > 0x7f800000u) { return 0x7e00u; }
  if (a >= 0x477ff000u) { return sign | 0x7c00u; }
  if (a >= 0x38800000u) { return sign | cut_off(a - 0x38000000u, 13u); }
  let cut = 126u - (a >> 23u);
  if (cut > 25u) { return sign; }
  return sign | cut_off((a & 0x7fffffu) | 0x800000u, cut);
}
// towards 0, within the range, NaN 0
fn to_i32(b: u32) -> u32 {
  let a = b & 0x7fffffffu;
  let negative = b >> 31u == 1u;
  if (a > 0x7f800000u || a < 0x3f800000u) { return 0u; }
  if (a >= 0x4f000000u) { return select(0x7fffffffu, 0x80000000u, negative); }
  let m = (((a & 0x7fffffu) | 0x800000u) << 8u) >> (158u - (a >> 23u));
  return select(m, 0u - m, negative);
}
// to nearest, ties to even
fn to_f32(b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  let sign = b & 0x80000000u;
  let m = select(b, 0u - b, sign != 0u);
  let zeros = countLeadingZeros(m);
  let high = m << zeros;
  let last = (high >> 8u) & 1u;
  let up = select(0u, 1u, (high & 0xffu) + last > 0x80u);
  return sign | (((157u - zeros) << 23u) + (high >> 8u) + up);
}`;

export const castKernels = {
  // y[i] = narrowed(x[i])
  cast: (gpu, inputs, outputs, { dtype }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const lanes = lanesOf(y);
    const elements = sizeOf(y.shape);
    gpu.dispatch({
      name: "cast",
      constants: { from: x.dtype, to: dtype, LANES: lanes, WIDTH: 8 * BYTES[dtype] },
      reads: { x: asBits(x) },
      writes: { y },
      as: { y: "u32" },
      params: { elements },
      grid: { threads: Math.ceil(elements / lanes) },
      wgsl: () => `${CONVERSIONS}
fn loaded(i: u32) -> u32 { return ${LOADED[x.dtype]}; }
fn narrowed(b: u32) -> u32 { return ${NARROWED[KIND[x.dtype]][dtype]}; }
fn thread(w: u32) {
  var word = 0u;
  for (var lane = 0u; lane < LANES; lane++) {
    let i = w * LANES + lane;
    if (i < params.elements) { word |= narrowed(loaded(i)) << (lane * WIDTH); }
  }
  y[w] = word;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
