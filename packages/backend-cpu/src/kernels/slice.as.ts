// Bytes moved in blocks: what slice, pad, concat and the cache of generation are made of.

/** Block i of `bytes` bytes from `from + i·fromStride` to `to + i·toStride`; tasks are blocks. */
export function copyBlocks(to: usize, toStride: usize, from: usize, fromStride: usize, bytes: usize, begin: usize, end: usize): void {
  for (let i = begin; i < end; i++) memory.copy(to + i * toStride, from + i * fromStride, bytes);
}

/** Blocks of zeros. */
export function zeroBlocks(to: usize, toStride: usize, bytes: usize, begin: usize, end: usize): void {
  for (let i = begin; i < end; i++) memory.fill(to + i * toStride, 0, bytes);
}
