// From floats to 4 bits and back, one output a program. A byte of codes is one number 0 … 255 on the device.
import { dynamicMap, formatLevels, type KernelTable, levelOf, midpoints, type QFormat, sizeOf, type View } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";
import { blockLevels, blockScales } from "./blockwise.ts";

/** Scales that share a scale of their own. */
const SCALES_BLOCK = 256;

// Two codes a byte, the first in the high half; what pads an odd count is the code of zero
const packed = program(function (this: Thread, levels: List, codeOf: List, n: number, zero: number) {
  const i = this.thread.x * 2;
  const level = levels[i]!;
  const next = levels[i + 1]!;
  const first = codeOf[level]!;
  const second = codeOf[next]!;
  if (i + 1 >= n) return first * 16 + zero;
  return first * 16 + second;
});

// w[i] = codeBook[code of i] · scale of its block. Two codes a byte, the first in the high half; a row of threads is a block
const unpacked = program(function (this: Thread, codes: Matrix, scales: List, codeBook: List) {
  const byte = codes[this.thread.z]![Math.floor((this.thread.x + 0.5) / 2)]!;
  const high = Math.floor(byte / 16);
  const code = this.thread.x % 2 === 0 ? high : byte - high * 16;
  return codeBook[code]! * scales[this.thread.z]!;
});

// y[j] = row ids[j] of the table
const unpackedRow = program(function (
  this: Thread,
  ids: List,
  codes: List,
  scales: List,
  codeBook: List,
  width: number,
  blockSize: number,
) {
  const i = ids[this.thread.z]! * width + this.thread.x;
  const pair = Math.floor((i + 0.5) / 2);
  const high = Math.floor(codes[pair]! / 16);
  const code = i - 2 * pair < 0.5 ? high : codes[pair]! - high * 16;
  return codeBook[code]! * scales[Math.floor((i + 0.5) / blockSize)]!;
});

// scale[i] = map[code] · absmax2 of its 256 + offset, rounded after each of the two
const scaleFromCodes = program(function (this: Thread, codes: List, absmax2: List, offset: List, map: List) {
  const nested = Math.floor((this.thread.x + 0.5) / 256);
  return Math.fround(map[codes[this.thread.x]!]! * absmax2[nested]!) + offset[0]!;
});

const less = program(function (this: Thread, x: List, offset: List) {
  return x[this.thread.x]! - offset[0]!;
});

// Σ x / n with what each sum rounds away carried along (Kahan): a block's code may hang on the last bit
const mean = program(function (this: Thread, x: List, n: number) {
  let sum = 0.0;
  let lost = 0.0;
  for (let i = 0; i < n; i++) {
    const value = x[i]! - lost;
    const next = sum + value;
    lost = next - sum - value;
    sum = next;
  }
  return n > 0 ? sum / n : 0.0;
});

/** The scales of a quantized tensor's blocks. Its views after the codes: absmax — or absmax codes, absmax of those, offset. */
export function scalesOf(gpu: Gpu, views: readonly View[]): Sized {
  const [first, absmax2, offset] = views as [View, View?, View?];
  if (!absmax2 || !offset) return gpu.values(first);
  const args = [gpu.values(first), gpu.values(absmax2), gpu.values(offset), dynamicMap("signed")];
  return gpu.run(scaleFromCodes, [sizeOf(first.shape)], args);
}

/** n weights as floats, and beyond them what fills the last block. */
export function unpackedWeights(gpu: Gpu, [codes, ...scales]: readonly View[], n: number, { blockSize, codeBook }: QFormat): Sized {
  const blocks = Math.ceil(n / blockSize);
  return gpu.run(unpacked, [blockSize, blocks], [gpu.values(codes!, [blockSize / 2, blocks]), scalesOf(gpu, scales), codeBook]);
}

/** Codes of a format for n numbers with their scales. */
function codesOf(gpu: Gpu, x: Sized, absmax: Sized, n: number, format: QFormat): Sized {
  const { bounds, codes } = formatLevels(format, "cpu");
  const levels = blockLevels(gpu, x, absmax, n, format.blockSize, bounds);
  return gpu.run(packed, [Math.ceil(n / 2)], [levels, Float32Array.from(codes), whole(n), codes[levelOf(bounds, 0)]!]);
}

export const quantizeKernels = {
  quantize: (gpu, [x], [codes, absmax], { format }) => {
    const n = sizeOf(x!.shape);
    const values = gpu.values(x!);
    const scales = blockScales(gpu, values, n, format.blockSize);
    gpu.give(codes!, codesOf(gpu, values, scales, n, format));
    gpu.give(absmax!, scales);
  },
  doubleQuantize: (gpu, [absmax], [codes, absmax2, offset]) => {
    const n = sizeOf(absmax!.shape);
    const scales = gpu.values(absmax!);
    const average = gpu.run(mean, [1], [scales, whole(n)]);
    const centred = gpu.run(less, [n], [scales, average]);
    const nested = blockScales(gpu, centred, n, SCALES_BLOCK);
    gpu.give(codes!, blockLevels(gpu, centred, nested, n, SCALES_BLOCK, midpoints(dynamicMap("signed"))));
    gpu.give(absmax2!, nested);
    gpu.give(offset!, average);
  },
  dequantize: (gpu, weight, [y], { format }) => gpu.give(y!, unpackedWeights(gpu, weight, sizeOf(y!.shape), format)),
  qembedding: (gpu, [ids, codes, ...scales], [y], { format: { blockSize, codeBook } }) => {
    const width = y!.shape.at(-1)!;
    const args = [gpu.values(ids!), gpu.values(codes!), scalesOf(gpu, scales), codeBook, whole(width), whole(blockSize)];
    gpu.fill(y!, unpackedRow, [width, sizeOf(ids!.shape)], args);
  },
} satisfies Partial<KernelTable<Gpu>>;
