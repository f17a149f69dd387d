// A tensor of up to four axes copied in another order: y [n0, n1, n2, n3] from x with the strides s0 … s3, in elements of 1, 2 or 4 bytes.
import { transpose4 } from "./simd/transpose.as";

/** Rows whose elements lie side by side in x too; tasks are the rows (n0·n1·n2). */
export function permuteRows(
  y: usize, x: usize, size: usize, n1: usize, n2: usize, n3: usize, s0: usize, s1: usize, s2: usize, begin: usize, end: usize,
): void {
  const bytes = n3 * size;
  for (let r = begin; r < end; r++) {
    const i2 = r % n2, i01 = r / n2, i1 = i01 % n1, i0 = i01 / n1;
    memory.copy(y + r * bytes, x + (i0 * s0 + i1 * s1 + i2 * s2) * size, bytes);
  }
}

/** Any strides; tasks are the rows. */
export function permuteElements(
  y: usize, x: usize, size: usize, n1: usize, n2: usize, n3: usize, s0: usize, s1: usize, s2: usize, s3: usize, begin: usize, end: usize,
): void {
  const step = s3 * size;
  for (let r = begin; r < end; r++) {
    const i2 = r % n2, i01 = r / n2, i1 = i01 % n1, i0 = i01 / n1;
    let p = x + (i0 * s0 + i1 * s1 + i2 * s2) * size, to = y + r * n3 * size;
    const last = to + n3 * size;
    if (size == 4) for (; to < last; to += 4, p += step) store<u32>(to, load<u32>(p));
    else if (size == 2) for (; to < last; to += 2, p += step) store<u16>(to, load<u16>(p));
    else for (; to < last; to++, p += step) store<u8>(to, load<u8>(p));
  }
}

/** Elements of 4 bytes where axis 2 lies side by side in x (s2 = 1): 4×4 blocks are turned. Tasks are strips of 16 of axis 2 (n0·n1·⌈n2/16⌉ of them). */
export function permuteTransposed(
  y: usize, x: usize, n1: usize, n2: usize, n3: usize, s0: usize, s1: usize, s3: usize, begin: usize, end: usize,
): void {
  const strips = (n2 + 15) >> 4, stride = s3 << 2, row = n3 << 2;
  for (let task = begin; task < end; task++) {
    const strip = task % strips, i01 = task / strips, i1 = i01 % n1, i0 = i01 / n1;
    const first = strip << 4, last = min(first + 16, n2);
    const from = x + (i0 * s0 + i1 * s1 << 2), to = y + (i01 * n2 * n3 << 2);
    let c: usize = 0;
    for (; c + 4 <= n3; c += 4) {
      let i = first, p = from + c * stride;
      for (; i + 4 <= last; i += 4) {
        const q = p + (i << 2);
        transpose4(to + i * row + (c << 2), row, v128.load(q), v128.load(q + stride), v128.load(q + stride * 2), v128.load(q + stride * 3));
      }
      for (; i < last; i++) for (let k: usize = 0; k < 4; k++) store<u32>(to + i * row + (c + k << 2), load<u32>(p + k * stride + (i << 2)));
    }
    for (; c < n3; c++) for (let i = first; i < last; i++) store<u32>(to + i * row + (c << 2), load<u32>(from + c * stride + (i << 2)));
  }
}
