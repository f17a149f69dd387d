// Evenly spaced f32 numbers exactly as torch.linspace computes them; both maps were made with it, and their last bits depend on it.

/**
 * `parts` + 1 points from `start` to `end`, both f32. The lower half counts up from the start, the upper half down from the end, and the step is
 * rounded to f32; the product with it is not (a fused multiply-add), which f64 arithmetic rounded once gives as well.
 */
export function linspace(start: number, end: number, parts: number): Float32Array {
  const first = Math.fround(start);
  const last = Math.fround(end);
  const step = Math.fround(Math.fround(last - first) / parts);
  const half = Math.floor((parts + 1) / 2);
  return Float32Array.from({ length: parts + 1 }, (_, i) => (i < half ? first + step * i : last - step * (parts - i)));
}
