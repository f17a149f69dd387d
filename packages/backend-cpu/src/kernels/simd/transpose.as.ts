// Four vectors as the columns of a 4×4 block, its rows `stride` bytes apart.

@inline
export function transpose4(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const upperAb = v128.shuffle<u32>(a, b, 2, 6, 3, 7), upperCd = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(to + stride, v128.shuffle<u64>(ab, cd, 1, 3));
  v128.store(to + stride * 2, v128.shuffle<u64>(upperAb, upperCd, 0, 2));
  v128.store(to + stride * 3, v128.shuffle<u64>(upperAb, upperCd, 1, 3));
}
