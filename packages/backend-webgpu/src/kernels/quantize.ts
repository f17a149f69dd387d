// From floats to 4 bits and back: the codes, scales and values of core's quant/, bit for bit, in arithmetic on the bits (exact.ts).
import { dynamicMap, formatLevels, type KernelTable, levelOf, midpoints, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { levelWgsl, scaleBlocks } from "./blockwise.ts";
import { EXACT, orderOf } from "./exact.ts";
import { exactWeight } from "./exact-weight.ts";
import { meanOfScales } from "./mean-of-scales.ts";
import { table } from "./table.ts";

/** Scales that share a scale. */
const SCALES_BLOCK = 256;

/** `code_of(level)`: at most sixteen codes, in two words. */
function codeOfLevel(codes: Uint8Array): string {
  const word = (from: number): string => `0x${Array.from({ length: 8 }, (_, i) => (codes[from + 7 - i] ?? 0).toString(16)).join("")}u`;
  return `fn code_of(level: u32) -> u32 { return (select(${word(0)}, ${word(8)}, level > 7u) >> ((level & 7u) * 4u)) & 15u; }`;
}

export const quantizeKernels = {
  // A thread writes eight codes, a word. bounds below v: one comparison each
  quantize: (gpu, inputs, outputs, { format }) => {
    const [x] = inputs as [View];
    const [codes, absmax] = outputs as [View, View];
    const { bounds, codes: codeOf } = formatLevels(format);
    const value = "fn value(i: u32) -> u32 { return bitcast<u32>(x_at(i)); }";
    const n = sizeOf(x.shape);
    const divisors = scaleBlocks(gpu, { name: "weights", reads: { x }, wgsl: value, n, blockSize: format.blockSize }, absmax);
    gpu.dispatch({
      name: "quantize",
      constants: { bounds: bounds.join(), codes: codeOf.join() },
      reads: { x, divisors },
      writes: { codes },
      params: { n, size: format.blockSize },
      grid: { threads: Math.ceil(n / 8) },
      wgsl: () => `${EXACT}
${value}
fn bounds_below(v: i32) -> u32 { return ${Array.from(bounds, (bound) => `select(0u, 1u, ${orderOf(bound)} < v)`).join(" + ")}; }
${levelWgsl(bounds.length)}
${codeOfLevel(codeOf)}
fn thread(word: u32) {
  let block = block_of(word * 8u);
  var bits = 0u;
  for (var j = 0u; j < 8u; j++) {
    var found = ${levelOf(bounds, 0)}u; // pads the last byte of an odd count
    if (word * 8u + j < params.n) { found = level(value(word * 8u + j), block); }
    bits |= code_of(found) << ((j ^ 1u) * 4u);
  }
  codes[word] = bits;
}`,
    });
  },
  // offset = mean of the scales     codes and absmax2 of (scale − offset). A thread writes four codes, a word
  doubleQuantize: (gpu, inputs, outputs) => {
    const [scales] = inputs as [View];
    const [codes, absmax2, offset] = outputs as [View, View, View];
    meanOfScales(gpu, scales, offset);
    const reads = { scales, offset };
    const value = "fn value(i: u32) -> u32 { return total(bitcast<u32>(scales_at(i)), bitcast<u32>(offset[0]) ^ 0x80000000u); }";
    const n = sizeOf(scales.shape);
    const divisors = scaleBlocks(gpu, { name: "scales", reads, wgsl: value, n, blockSize: SCALES_BLOCK }, absmax2);
    const bounds = Array.from(midpoints(dynamicMap("signed")), orderOf);
    gpu.dispatch({
      name: "doubleQuantize",
      reads: { ...reads, divisors, bounds: table(gpu, "bounds of the signed map", bounds) },
      writes: { codes },
      params: { n, size: SCALES_BLOCK },
      grid: { threads: Math.ceil(n / 4) },
      wgsl: () => `${EXACT}
${value}
fn bounds_below(v: i32) -> u32 {
  var low = 0u;
  for (var step = 128u; step > 0u; step >>= 1u) { if (bounds[low + step - 1u] < v) { low += step; } }
  return low;
}
${levelWgsl(bounds.length)}
fn thread(word: u32) {
  let block = block_of(word * 4u);
  var bits = 0u;
  for (var j = 0u; j < 4u; j++) { if (word * 4u + j < params.n) { bits |= level(value(word * 4u + j), block) << (j * 8u); } }
  codes[word] = bits;
}`,
    });
  },
  // A thread writes eight weights: they share a scale. What one binding cannot show is written piece by piece
  dequantize: (gpu, inputs, outputs, { format }) => {
    const [y] = outputs as [View];
    const n = sizeOf(y.shape);
    const { reads, wgsl } = exactWeight(gpu, inputs, format);
    const whole = y.buffer.byteLength <= gpu.facts.maxBindingBytes;
    const piece = whole ? n : Math.floor(gpu.facts.maxBindingBytes / 32) * 8;
    for (let from = 0; from < n; from += piece) {
      const count = Math.min(piece, n - from);
      const target = whole ? y : gpu.temporary("f32", [count]);
      gpu.dispatch({
        name: "dequantize",
        reads,
        writes: { y: target },
        as: { y: "u32" },
        params: { start: from, end: count, size: format.blockSize },
        grid: { threads: Math.ceil(count / 8) },
        wgsl: () => `${wgsl}
fn thread(i: u32) {
  let first = params.start + i * 8u;
  let s = scale(first / params.size);
  for (var j = i * 8u; j < min(i * 8u + 8u, params.end); j++) { y[j] = weight(code_at(params.start + j), s); }
}`,
      });
      if (!whole) gpu.copy(target, 0, y, 4 * from, 4 * count);
    }
  },
  // y[j] = row ids[j] of the table
  qembedding: (gpu, inputs, outputs, { format }) => {
    const [ids, ...weight] = inputs as [View, ...View[]];
    const [y] = outputs as [View];
    const { reads, wgsl } = exactWeight(gpu, weight, format);
    gpu.dispatch({
      name: "qembedding",
      reads: { ids, ...reads },
      writes: { y },
      as: { y: "u32" },
      params: { width: y.shape.at(-1)!, size: format.blockSize },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `${wgsl}
fn thread(i: u32) {
  let at = u32(ids_at(i / params.width)) * params.width + i % params.width;
  y[i] = weight(code_at(at), scale(at / params.size));
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
