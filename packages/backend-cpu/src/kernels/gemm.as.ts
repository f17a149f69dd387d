// C = from + A·B for every storage of B and any size. A task is a part of C, some rows by some columns, and computes all terms of its elements in the
// same order whatever the cut; C is visited once for every block of depth, with B's columns of the block packed into the thread's scratch.
import { packBf16, packF16, packF32 } from "./gemm/pack-float.as";
import { packQ4 } from "./gemm/pack-quantized.as";
import { BF16, F32, PACKED, Product, Q4 } from "./gemm/product.as";
import { strip4, strip5 } from "./gemm/strip.as";

/** At the start of scratch: a tile that is not stored straight, 5 rows of 32 bytes. */
const SPILL: usize = 256;

@inline
function packInto(product: Product, to: usize, b: usize, first: usize, depth: usize, column: usize, columns: usize): void {
  if (product.storage == Q4) packQ4(product, to, b, first, depth, column, columns);
  else if (product.storage == F32) packF32(product, to, b, first, depth, column, columns);
  else if (product.storage == BF16) packBf16(product, to, b, first, depth, column, columns);
  else packF16(product, to, b, first, depth, column, columns);
}

/** Tasks are parts of all products of the batch: columns fastest, then rows, then products. */
export function gemm(product: Product, first: usize, end: usize, scratch: usize): void {
  const n = product.n, m = product.m, k = product.k;
  const across = (n + product.columnsOfTask - 1) / product.columnsOfTask, down = (m + product.rowsOfTask - 1) / product.rowsOfTask;
  for (let task = first; task < end; task++) {
    const index = task / across / down;
    const row = ((task / across) % down) * product.rowsOfTask, column = (task % across) * product.columnsOfTask;
    const rows = min<usize>(product.rowsOfTask, m - row), columns = min<usize>(product.columnsOfTask, n - column);
    const a = product.a + index * product.aBatch + row * product.aRow, b = product.b + index * product.bBatch;
    const c = product.c + index * product.cBatch + row * product.cRow + column * product.cColumn;
    const from = product.from ? product.from + index * product.fromBatch + row * product.fromRow + column * product.fromColumn : 0;
    let p: usize = 0;
    do {
      const depth = min<usize>(product.depth, k - p);
      let panels = scratch + SPILL, panelBytes = depth << 5;
      if (product.storage == PACKED) panels = b + (column >> 3) * (k << 5) + (p << 5), panelBytes = k << 5;
      else packInto(product, panels, b, p, depth, column, columns);
      if (p == 0) block(product, a, panels, panelBytes, depth, c, from, product.fromRow, product.fromColumn, rows, columns, scratch);
      else block(product, a + (p << 2), panels, panelBytes, depth, c, c, product.cRow, product.cColumn, rows, columns, scratch);
      p += depth;
    } while (p < k);
  }
}

/** Rows whose part of A stays in the second-level cache while all panels of a task pass. */
const ROWS: usize = 40;

/** One block of depth of a task: fives of rows, then as many fours as make it come out even. */
function block(product: Product, a: usize, panels: usize, panelBytes: usize, depth: usize, c: usize, from: usize, fromRow: usize, fromColumn: usize, rows: usize, columns: usize, spill: usize): void {
  const fours: usize = ((5 - (rows % 5)) % 5) * 4, fives: usize = fours <= rows ? rows - fours : 0;
  for (let i: usize = 0; i < rows; ) {
    const count = i < fives ? min<usize>(fives - i, ROWS) : rows - i;
    const row = a + i * product.aRow, to = c + i * product.cRow, base = from ? from + i * fromRow : 0;
    for (let j: usize = 0; j < columns; j += 8) {
      const panel = panels + (j >> 3) * panelBytes, cj = to + j * product.cColumn, fj = base ? base + j * fromColumn : 0;
      if (j + 8 > columns || product.cColumn != 4 || (from != 0 && fromColumn != 4)) {
        edge(product, row, panel, depth, cj, fj, fromRow, fromColumn, count, min<usize>(8, columns - j), spill);
      } else if (i < fives) strip5(row, product.aRow, panel, depth, cj, product.cRow, fj, fromRow, count / 5);
      else strip4(row, product.aRow, panel, depth, cj, product.cRow, fj, fromRow, count);
    }
    i += count;
  }
}

/** Tiles that are not 8 columns, or whose columns do not lie side by side: computed aside, then stored element by element. */
function edge(product: Product, a: usize, panel: usize, depth: usize, c: usize, from: usize, fromRow: usize, fromColumn: usize, rows: usize, columns: usize, spill: usize): void {
  for (let i: usize = 0; i < rows; ) {
    const left = rows - i, count: usize = left % 5 == 0 ? 5 : min<usize>(4, left);
    if (count == 5) strip5(a + i * product.aRow, product.aRow, panel, depth, spill, 32, 0, 0, 1);
    else strip4(a + i * product.aRow, product.aRow, panel, depth, spill, 32, 0, 0, count);
    for (let r: usize = 0; r < count; r++, i++) {
      for (let j: usize = 0; j < columns; j++) {
        let value = load<f32>(spill + (r << 5) + (j << 2));
        if (from != 0) value = load<f32>(from + i * fromRow + j * fromColumn) + value;
        store<f32>(c + i * product.cRow + j * product.cColumn, value);
      }
    }
  }
}

/** All of B to panels at `to`, [⌈n / 8⌉][k][8]; tasks are four panels. For products with few columns, whose tasks are rows and share the panels. */
export function packPanels(product: Product, to: usize, first: usize, end: usize, scratch: usize): void {
  for (let task = first; task < end; task++)
    packInto(product, to + (task << 2) * (product.k << 5), product.b, 0, product.k, task << 5, min<usize>(32, product.n - (task << 5)));
}

/** to[j, i] = x[i, j] for x f32 [rows, columns]; tasks are strips of 32 columns of x. */
export function transpose(to: usize, x: usize, rows: usize, columns: usize, first: usize, end: usize, scratch: usize): void {
  for (let strip = first; strip < end; strip++) {
    const last = min<usize>((strip << 5) + 32, columns);
    for (let i: usize = 0; i < rows; i += 4) {
      let j = strip << 5;
      if (i + 4 <= rows) for (; j + 4 <= last; j += 4) transpose4(to + ((j * rows + i) << 2), rows << 2, x + ((i * columns + j) << 2), columns << 2);
      for (; j < last; j++)
        for (let r = i; r < min<usize>(i + 4, rows); r++) store<f32>(to + ((j * rows + r) << 2), load<f32>(x + ((r * columns + j) << 2)));
    }
  }
}

@inline
function transpose4(to: usize, toRow: usize, x: usize, xRow: usize): void {
  const r0 = v128.load(x), r1 = v128.load(x + xRow), r2 = v128.load(x + 2 * xRow), r3 = v128.load(x + 3 * xRow);
  const a = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
  const c = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5), d = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(a, c, 0, 2));
  v128.store(to + toRow, v128.shuffle<u64>(a, c, 1, 3));
  v128.store(to + 2 * toRow, v128.shuffle<u64>(b, d, 0, 2));
  v128.store(to + 3 * toRow, v128.shuffle<u64>(b, d, 1, 3));
}
