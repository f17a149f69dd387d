// The mean of f32 numbers to the last bit of torch's, on which the offset of double quantization depends. torch adds in the order its x86 build runs
// in: eight lanes of four accumulators each, every accumulator a cascade of partial sums (aten/src/ATen/native/cpu/SumKernel.cpp), then one division. With
// 32,768 numbers and more torch shares the sum out among its threads; this is what it gives with one.

const LANES = 8;
const ACCUMULATORS = 4;
const LEVELS = 4;

/** The mean, f32 step by step; 0 of none. */
export function torchMean(values: Float32Array): number {
  return values.length === 0 ? 0 : Math.fround(torchSum(values) / values.length);
}

function torchSum(values: Float32Array): number {
  if (values.length < LANES) return rowSum(values, 1)[0]!;
  const whole = Math.floor(values.length / LANES) * LANES;
  const lanes = rowSum(values.subarray(0, whole), LANES);
  let total = 0;
  for (const value of values.subarray(whole)) total = Math.fround(total + value);
  for (const lane of lanes) total = Math.fround(total + lane);
  return total;
}

/** Sums of every `width`-th number: numbers [n, width] → [width]. */
function rowSum(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const steps = Math.floor(rows / ACCUMULATORS);
  const stride = ACCUMULATORS * width;
  const partial = cascade(values.subarray(0, steps * stride), stride);
  for (let i = steps * stride; i < values.length; i++) partial[i % width]! += values[i]!; // the rest goes to the first accumulator
  for (let k = width; k < stride; k++) partial[k % width]! += partial[k]!;
  return partial.subarray(0, width);
}

/** The same by a cascade: sums of 2^p rows, of 2^2p and so on, so that errors grow with the logarithm of the count. */
function cascade(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(1, rows))) / LEVELS));
  const step = 2 ** power;
  const levels = Array.from({ length: LEVELS }, () => new Float32Array(width));
  let row = 0;
  while (row + step <= rows) {
    for (const end = row + step; row < end; row++) addRow(levels[0]!, values, row);
    for (let j = 1; j < LEVELS; j++) {
      addRow(levels[j]!, levels[j - 1]!, 0);
      levels[j - 1]!.fill(0);
      if (Math.floor(row / 2 ** (j * power)) % step !== 0) break;
    }
  }
  for (; row < rows; row++) addRow(levels[0]!, values, row);
  for (let j = 1; j < LEVELS; j++) addRow(levels[0]!, levels[j]!, 0);
  return levels[0]!;
}

function addRow(sum: Float32Array, values: Float32Array, row: number): void {
  for (let k = 0; k < sum.length; k++) sum[k]! += values[row * sum.length + k]!;
}
