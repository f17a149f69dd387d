// What every blockwise quantizer does: a scale for each block, and for each number the nearest of some levels. Not an op: no table entry.
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

/** Keeps 1 / absmax finite; a short last block of zeros has it as its scale. */
const TINY = Math.fround(1e-38);

// absmax[block] = the largest |x| of a block; a NaN stays
const largestOfBlock = program(function (this: Thread, x: List, n: number, blockSize: number, tiny: number) {
  const start = this.thread.x * blockSize;
  let largest = 0.0;
  for (let i = start; i < start + blockSize; i++) {
    const value = i < n ? Math.abs(x[i]!) : 0.0;
    if (value > largest || value !== value) largest = value;
  }
  if (start + blockSize > n && largest < tiny) return tiny;
  return largest;
});

// x[i] / absmax of its block: a full block is multiplied by the reciprocal, a short last one divided
const scaledByBlock = program(function (this: Thread, x: List, absmax: List, n: number, blockSize: number, tiny: number) {
  const block = Math.floor((this.thread.x + 0.5) / blockSize);
  const divisor = absmax[block]! < tiny ? tiny : absmax[block]!;
  if (x[this.thread.x] === 0 && absmax[block] === absmax[block]) return 0.0; // some devices have no number as small as tiny: 0 · 1/0
  if ((block + 1) * blockSize > n) return Math.fround(x[this.thread.x]! / divisor);
  return Math.fround(x[this.thread.x]! * Math.fround(1 / divisor));
});

// level[i] = how many bounds lie below a number. NaN lies above all
const nearestLevel = program(function (this: Thread, scaled: List, bounds: List, count: number) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (bounds[middle]! >= scaled[this.thread.x]!) high = middle;
    else low = middle + 1;
  }
  return low;
});

// x[i] = map[code] · absmax of its block
const widened = program(function (this: Thread, codes: List, absmax: List, map: List, blockSize: number) {
  return map[codes[this.thread.x]!]! * absmax[Math.floor((this.thread.x + 0.5) / blockSize)]!;
});

/** The scale of each block of a list of n numbers. */
export const blockScales = (gpu: Gpu, x: Sized, n: number, blockSize: number): Sized =>
  gpu.run(largestOfBlock, [Math.ceil(n / blockSize)], [x, whole(n), whole(blockSize), TINY]);

/** The level of each of n numbers between ascending bounds on [−1, 1]. */
export const blockLevels = (gpu: Gpu, x: Sized, absmax: Sized, n: number, blockSize: number, bounds: Float32Array): Sized => {
  const scaled = gpu.run(scaledByBlock, [n], [x, absmax, whole(n), whole(blockSize), TINY]);
  return gpu.run(nearestLevel, [n], [scaled, bounds, whole(bounds.length)]);
};

/** n numbers from codes of a map, and a scale a block. */
export const fromCodes = (gpu: Gpu, codes: Sized, absmax: Sized, map: Float32Array, n: number, blockSize: number): Sized =>
  gpu.run(widened, [n], [codes, absmax, map, whole(blockSize)]);
