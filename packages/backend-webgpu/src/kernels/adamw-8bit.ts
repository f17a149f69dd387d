// One step of AdamW with 8-bit moments in place: the bits of core's optim/adamw-8bit.ts but for subnormal numbers, as in adamw.ts. A workgroup takes a
// block of 256 elements; a thread takes four, whose codes share a word.
import { dynamicMap, type KernelTable, MOMENT_BLOCK, midpoints, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { ADAMW_STEP, adamWScalars } from "./adamw.ts";
import { bitsOf, orderOf } from "./exact.ts";
import { table } from "./table.ts";

const THREADS = MOMENT_BLOCK / 4;
const TINY = 1e-38; // the least that a scale divides by: nearest-levels.ts
const ZERO = 127; // the signed map's code of 0

/** For the signed map of m and then for the unsigned one of v: 256 values as bits, and 255 thresholds in the order of integers with one more to fill up. */
function maps(): number[] {
  return (["signed", "unsigned"] as const).flatMap((kind) => {
    const map = dynamicMap(kind);
    return [...new Int32Array(map.buffer), ...Array.from(midpoints(map), orderOf), 0];
  });
}

export const adamW8bitKernels = {
  adamW8bit: (gpu, inputs, outputs, attrs) => {
    const [g, gradScale] = inputs.slice(5) as [View, View];
    const [p, m, v, mMax, vMax] = outputs as [View, View, View, View, View];
    const elements = sizeOf(p.shape);
    gpu.dispatch({
      name: "adamW8bit",
      reads: { g, gradScale, maps: table(gpu, "maps of 8-bit moments", maps()) },
      writes: { p, m, v, mMax, vMax },
      as: { mMax: "u32", vMax: "u32" },
      params: { ...adamWScalars(attrs), elements },
      grid: { workgroups: Math.ceil(elements / MOMENT_BLOCK), size: THREADS },
      wgsl: () => `${ADAMW_STEP}
const SIGNED = 0u;
const UNSIGNED = 512u;
const TINY = ${bitsOf(TINY)};
${BLOCK}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;

const BLOCK = `
var<workgroup> most: array<vec2u, ${THREADS}>;

fn magnitude(x: f32) -> u32 { return bitcast<u32>(x) & 0x7fffffffu; }
fn is_finite(x: f32) -> bool { return magnitude(x) < 0x7f800000u; }
fn is_nan(x: f32) -> bool { return magnitude(x) > 0x7f800000u; }
// as a whole number that is ordered as the values are
fn ordered(x: f32) -> i32 { return select(i32(magnitude(x)), -i32(magnitude(x)), bitcast<u32>(x) >> 31u == 1u); }

// how many of a map's 255 thresholds lie below x; all of them below NaN
fn level(map: u32, x: f32) -> u32 {
  if (is_nan(x)) { return 255u; }
  var below = 0u;
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (maps_at(map + 255u + below + step) < ordered(x)) { below += step; }
  }
  return below;
}

struct Scale { divisor: f32, reciprocal: f32 }
// of a block whose largest magnitude has these bits. Where that is subnormal or 0, so are all numbers
fn scale_of(most: u32) -> Scale {
  let divisor = bitcast<f32>(max(most, 0x800000u));
  return Scale(divisor, divide(1.0, divisor));
}

// the nearest code of one of a block's numbers. A full block is multiplied by the reciprocal, a short one divided
fn code(map: u32, x: f32, scale: Scale, full: bool) -> u32 {
  if (full) { return level(map, product(x, scale.reciprocal)); }
  return level(map, divide(x, scale.divisor));
}

// a first moment keeps its sign
fn signed_code(x: f32, scale: Scale, full: bool) -> u32 {
  let nearest = code(SIGNED, x, scale, full);
  if (is_nan(x)) { return nearest; }
  if (ordered(x) < 0 && nearest >= ${ZERO}u) { return nearest - 1u; }
  if (ordered(x) > 0 && nearest < ${ZERO}u) { return nearest + 1u; }
  return nearest;
}

fn block(group: u32, local: u32) {
  let first = group * ${MOMENT_BLOCK}u + local * 4u;
  let full = group * ${MOMENT_BLOCK}u + ${MOMENT_BLOCK}u <= params.elements;
  let before = vec2f(bitcast<f32>(mMax[group]), bitcast<f32>(vMax[group]));
  var next_m = array<f32, 4>();
  var next_v = array<f32, 4>();
  var largest = vec2u(0u);
  for (var i = 0u; i < 4u; i++) {
    if (first + i >= params.elements) { break; }
    let g = product(g_at(first + i), gradScale_at(0u));
    if (!is_finite(g)) { continue; } // the parameter stays, the moments become 0
    let m_code = (m[first / 4u] >> (8u * i)) & 255u;
    let v_code = (v[first / 4u] >> (8u * i)) & 255u;
    let m_before = product(bitcast<f32>(maps_at(SIGNED + m_code)), before.x);
    let v_before = product(bitcast<f32>(maps_at(UNSIGNED + v_code)), before.y);
    let next = moved(p[first + i], m_before, v_before, g);
    p[first + i] = next.p;
    next_m[i] = next.m;
    next_v[i] = next.v;
    largest = max(largest, vec2u(magnitude(next.m), magnitude(next.v))); // in the order of bits, NaN is the largest
  }
  most[local] = largest;
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (local < half) { most[local] = max(most[local], most[local + half]); }
  }
  workgroupBarrier();
  let m_scale = scale_of(most[0].x);
  let v_scale = scale_of(most[0].y);
  var codes = vec2u(0u);
  for (var i = 0u; i < 4u; i++) {
    codes.x |= signed_code(next_m[i], m_scale, full) << (8u * i);
    codes.y |= code(UNSIGNED, next_v[i], v_scale, full) << (8u * i);
  }
  if (first < params.elements) {
    m[first / 4u] = codes.x;
    v[first / 4u] = codes.y;
  }
  if (local == 0u) {
    let stored = select(max(most[0], vec2u(TINY)), most[0], full);
    mMax[group] = stored.x;
    vMax[group] = stored.y;
  }
}`;
