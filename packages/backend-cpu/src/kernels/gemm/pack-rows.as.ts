// A, f32, to the tiles that strip-packed.as.ts reads: [depth][5] for the first `fives` rows, [depth][4] for the rest. The tile whose first row is i begins at
// to + i·k·4, whatever its height. A stored [k, m] goes in as easily as [m, k]: there is no product that needs its A transposed first.
import { transpose4 } from "../simd/transpose.as";

/** Rows of a task; a multiple of 5. */
export const PACK_ROWS: usize = 40;
/** Terms of A stored [k, m] that are read together: they may lie so that a cache holds no more of them at once. */
const TERMS: usize = 8;

/** Where the tile that row `i` would be in begins: rows are cut between tasks there only. */
@inline
export function tileBefore(i: usize, fives: usize, m: usize): usize {
  return i >= m ? m : i <= fives ? i : i - ((i - fives) & 3);
}

/** Tiles of A [m, k], rows `row` bytes apart; or, where transposed, of A stored [k, m], terms `row` bytes apart. Tasks are 40 rows. */
export function packRows(to: usize, a: usize, row: usize, transposed: u32, m: usize, k: usize, fives: usize, first: usize, end: usize, scratch: usize): void {
  for (let task = first; task < end; task++) {
    const from = tileBefore(task * PACK_ROWS, fives, m), until = tileBefore((task + 1) * PACK_ROWS, fives, m);
    if (transposed) {
      for (let p: usize = 0; p < k; p += TERMS) {
        for (let i = from; i < until; ) {
          const height: usize = i < fives ? 5 : 4;
          packTerms(to + i * (k << 2) + p * (height << 2), a + p * row + (i << 2), row, min<usize>(TERMS, k - p), height, min<usize>(height, m - i));
          i += height;
        }
      }
    } else {
      for (let i = from; i < until; ) {
        const height: usize = i < fives ? 5 : 4;
        packTile(to + i * (k << 2), a + i * row, row, k, height, min<usize>(height, m - i));
        i += height;
      }
    }
  }
}

/** A tile of rows side by side in memory. A row that is missing is the last one again; nothing is stored of it. */
@inline
export function packTile(to: usize, a: usize, row: usize, k: usize, height: usize, rows: usize): void {
  const step = height << 2, a1 = a + row * min<usize>(rows - 1, 1), a2 = a + row * min<usize>(rows - 1, 2), a3 = a + row * min<usize>(rows - 1, 3);
  const a4 = a + (row << 2), bytes = (k & ~3) << 2;
  let p: usize = 0;
  for (; p < bytes; p += 16, to += step << 2) {
    transpose4(to, step, v128.load(a + p), v128.load(a1 + p), v128.load(a2 + p), v128.load(a3 + p));
    if (height == 5) {
      const x = v128.load(a4 + p);
      v128.store_lane<f32>(to, x, 0, 16), v128.store_lane<f32>(to, x, 1, 36), v128.store_lane<f32>(to, x, 2, 56), v128.store_lane<f32>(to, x, 3, 76);
    }
  }
  for (; p < k << 2; p += 4, to += step) {
    store<f32>(to, load<f32>(a + p)), store<f32>(to, load<f32>(a1 + p), 4), store<f32>(to, load<f32>(a2 + p), 8), store<f32>(to, load<f32>(a3 + p), 12);
    if (height == 5) store<f32>(to, load<f32>(a4 + p), 16);
  }
}

/** A tile of rows whose terms lie side by side. */
@inline
function packTerms(to: usize, a: usize, row: usize, terms: usize, height: usize, rows: usize): void {
  const step = height << 2;
  if (rows < 4) {
    for (; terms != 0; terms--, a += row, to += step)
      for (let r: usize = 0; r < 4; r++) store<f32>(to + (r << 2), load<f32>(a + (min<usize>(r, rows - 1) << 2)));
    return;
  }
  for (; terms != 0; terms--, a += row, to += step) {
    v128.store(to, v128.load(a));
    if (height == 5) store<f32>(to, load<f32>(a, 16), 16);
  }
}
