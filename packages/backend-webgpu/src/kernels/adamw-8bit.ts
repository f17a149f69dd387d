// One step of AdamW with 8-bit moments in place: core's optim/adamw-8bit.ts, bit for bit on every GPU, by arithmetic on the bits. A workgroup takes a block of
// 256 elements; a thread takes four, whose codes share a word.
import { dynamicMap, type KernelTable, MOMENT_BLOCK, midpoints, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { ADAMW_STEP, adamWScalars } from "./adamw.ts";
import { bitsOf, orderOf } from "./exact.ts";
import { asBits } from "./move-elements.ts";
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
      reads: { g: asBits(g), gradScale: asBits(gradScale), maps: table(gpu, "maps of 8-bit moments", maps()) },
      writes: { p, m, v, mMax, vMax },
      as: { p: "u32", mMax: "u32", vMax: "u32" },
      params: { ...adamWScalars(attrs), elements },
      grid: { workgroups: Math.ceil(elements / MOMENT_BLOCK), size: THREADS },
      wgsl: () => `${ADAMW_STEP}
const SIGNED = 0u;
const UNSIGNED = 512u;
const ONE = ${bitsOf(1)};
const TINY = ${bitsOf(TINY)};
${BLOCK}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;

const BLOCK = `
var<workgroup> most: array<vec2u, ${THREADS}>;

// how many of a map's 255 thresholds lie below x; all of them below NaN
fn level(map: u32, x: u32) -> u32 {
  if (magnitude(x) > INFINITY) { return 255u; }
  var below = 0u;
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (maps_at(map + 255u + below + step) < ordered(x)) { below += step; }
  }
  return below;
}

// the code of one of a block's numbers. A full block is multiplied by 1 / divisor, a short one divided
fn code(map: u32, x: u32, divisor: u32, reciprocal: u32, full: bool) -> u32 {
  var scaled = 0u;
  if (full) { scaled = product(x, reciprocal); } else { scaled = quotient(x, divisor); }
  return level(map, scaled);
}

// a first moment keeps its sign
fn signed_code(x: u32, divisor: u32, reciprocal: u32, full: bool) -> u32 {
  let nearest = code(SIGNED, x, divisor, reciprocal, full);
  if (ordered(x) < 0 && nearest >= ${ZERO}u && magnitude(x) <= INFINITY) { return nearest - 1u; }
  if (ordered(x) > 0 && nearest < ${ZERO}u && magnitude(x) <= INFINITY) { return nearest + 1u; }
  return nearest;
}

fn block(group: u32, local: u32) {
  let first = group * ${MOMENT_BLOCK}u + local * 4u;
  let full = group * ${MOMENT_BLOCK}u + ${MOMENT_BLOCK}u <= params.elements;
  let scale = vec2u(mMax[group], vMax[group]);
  var next_m = array<u32, 4>();
  var next_v = array<u32, 4>();
  var largest = vec2u(0u);
  for (var i = 0u; i < 4u; i++) {
    if (first + i >= params.elements) { break; }
    let g = product(bitcast<u32>(g_at(first + i)), bitcast<u32>(gradScale_at(0u)));
    if (magnitude(g) >= INFINITY) { continue; } // the parameter stays, the moments become 0
    let m_code = (m[first / 4u] >> (8u * i)) & 255u;
    let v_code = (v[first / 4u] >> (8u * i)) & 255u;
    let before_m = product(bitcast<u32>(maps_at(SIGNED + m_code)), scale.x);
    let before_v = product(bitcast<u32>(maps_at(UNSIGNED + v_code)), scale.y);
    let next = moved(p[first + i], before_m, before_v, g);
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
  let divisor = max(most[0], vec2u(TINY));
  let reciprocal = vec2u(quotient(ONE, divisor.x), quotient(ONE, divisor.y));
  var codes = vec2u(0u);
  for (var i = 0u; i < 4u; i++) {
    codes.x |= signed_code(next_m[i], divisor.x, reciprocal.x, full) << (8u * i);
    codes.y |= code(UNSIGNED, next_v[i], divisor.y, reciprocal.y, full) << (8u * i);
  }
  if (first < params.elements) {
    m[first / 4u] = codes.x;
    v[first / 4u] = codes.y;
  }
  if (local == 0u) {
    let stored = select(divisor, most[0], full);
    mMax[group] = stored.x;
    vMax[group] = stored.y;
  }
}`;
