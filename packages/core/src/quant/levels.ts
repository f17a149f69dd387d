// How a number finds its code: sorted thresholds, and the code between each two. Every nearest rule of the 4-bit formats and of the 8-bit maps
// is such a list; a number equal to a threshold belongs to the level below it.

/** How a number finds its code: sorted thresholds, and the code between each two. */
export interface Levels {
  /** Ascending; one fewer than there are levels. */
  readonly bounds: Float32Array;
  /** The code of each level. */
  readonly codes: Uint8Array;
}

/** Halfway between neighbours, rounded to f32 as torch rounds (a + b) / 2. `sorted` ascends; length one fewer. */
export function midpoints(sorted: Float32Array): Float32Array {
  const bounds = new Float32Array(sorted.length - 1);
  for (let i = 0; i < bounds.length; i++) bounds[i] = Math.fround(sorted[i]! + sorted[i + 1]!) / 2;
  return bounds;
}

/** How many thresholds lie below `value`: torch.bucketize with right = false. NaN lies above all of them, as there. */
export function levelOf(bounds: Float32Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
