// The mean of a tensor's scales as core has it: summed as whole numbers of 96 bits, so no order matters, divided bit by bit, and rounded to f32 once.
import { sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { EXACT } from "./exact.ts";

/** On the processor few: there the memory that threads share is cleared by an instruction an element, all of which are compiled. */
const threadsOf = (gpu: Gpu): number => (gpu.facts.software ? 16 : 256);

// The highest bit of the largest scale stands at bit `top` of the sum: n of them do not reach bit 96, and what smaller ones lose is below 2^-top of it.
// n < 2^24. One workgroup: each thread sums every THREADS-th, then halves are added.
export function meanOfScales(gpu: Gpu, scales: View, mean: View): void {
  const n = sizeOf(scales.shape);
  const threads = threadsOf(gpu);
  gpu.dispatch({
    name: "mean of scales",
    constants: { THREADS: threads },
    reads: { scales },
    writes: { mean },
    as: { mean: "u32" },
    params: { n, top: 95 - Math.ceil(Math.log2(n + 1)) },
    grid: { workgroups: 1, size: threads },
    wgsl: () => `${EXACT}
var<workgroup> largest: array<u32, THREADS>;
var<workgroup> sums: array<vec3u, THREADS>;

// lowest word first
fn plus(a: vec3u, b: vec3u) -> vec3u {
  let x = a.x + b.x;
  let y = a.y + b.y;
  let carried = y + select(0u, 1u, x < a.x);
  return vec3u(x, carried, a.z + b.z + select(0u, 1u, y < a.y) + select(0u, 1u, carried < y));
}

// m·2^at, m of 24 bits
fn placed(m: u32, at: i32) -> vec3u {
  if (at < 0) { return vec3u(select(0u, m >> (u32(-at) & 31u), at > -24), 0u, 0u); }
  let by = u32(at) & 31u;
  let low = m << by;
  let high = select(0u, m >> ((32u - by) & 31u), by > 0u);
  if (at < 32) { return vec3u(low, high, 0u); }
  if (at < 64) { return vec3u(0u, low, high); }
  return vec3u(0u, 0u, low);
}

fn mean_of(sum: vec3u, e: i32) -> u32 {
  var rest = 0u;
  var m = 0u;
  var found = 0u; // bits of the quotient since its first
  var first = 0;
  for (var bit = 95; bit >= 0; bit--) {
    rest = (rest << 1u) | ((sum[u32(bit) >> 5u] >> (u32(bit) & 31u)) & 1u);
    let fits = rest >= params.n;
    rest -= select(0u, params.n, fits);
    if (found == 32u) { m |= select(0u, 1u, fits); continue; }
    if (found == 0u) { first = bit; }
    if (fits || found > 0u) {
      m = (m << 1u) | select(0u, 1u, fits);
      found++;
    }
  }
  return rounded(0u, first - i32(params.top) + e, m | select(0u, 1u, rest != 0u));
}

fn block(group: u32, local: u32) {
  var most = 0u;
  for (var i = local; i < params.n; i += THREADS) { most = max(most, magnitude(bitcast<u32>(scales_at(i)))); }
  largest[local] = most;
  for (var half = THREADS / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (local < half) { largest[local] = max(largest[local], largest[local + half]); }
  }
  most = workgroupUniformLoad(&largest[0]);
  if (most == 0u || most >= INFINITY) {
    if (local == 0u) { mean[0] = select(most, NAN, most > INFINITY); }
    return;
  }
  let e = parts(most).e;
  var sum = vec3u();
  for (var i = local; i < params.n; i += THREADS) {
    let bits = magnitude(bitcast<u32>(scales_at(i)));
    if (bits == 0u) { continue; }
    let scale = parts(bits);
    sum = plus(sum, placed(scale.m >> 8u, i32(params.top) - 23 - (e - scale.e)));
  }
  sums[local] = sum;
  for (var half = THREADS / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (local < half) { sums[local] = plus(sums[local], sums[local + half]); }
  }
  if (local == 0u) { mean[0] = mean_of(sums[0], e); }
}`,
  });
}
