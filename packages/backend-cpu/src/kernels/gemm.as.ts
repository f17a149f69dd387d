// C = from + A·B for every storage of B and any size. A task is a part of C, some rows by some columns, and computes all terms of its elements in the
// same order whatever the cut; C is visited once for every block of depth, with B's columns of the block packed into the thread's scratch.
import { packBf16, packF16, packF32 } from "./gemm/pack-float.as";
import { packQ4 } from "./gemm/pack-quantized.as";
import { tileBefore } from "./gemm/pack-rows.as";
import { BF16, F32, PACKED, Product, Q4 } from "./gemm/product.as";
import { strip4, strip5 } from "./gemm/strip.as";
import { packedStrip4, packedStrip5 } from "./gemm/strip-packed.as";

export { packRows } from "./gemm/pack-rows.as";

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
    const index = task / across / down, part = (task / across) % down;
    const column = (task % across) * product.columnsOfTask, columns = min<usize>(product.columnsOfTask, n - column);
    const row = tileBefore(part * product.rowsOfTask, product.fives, m), rows = tileBefore((part + 1) * product.rowsOfTask, product.fives, m) - row;
    const a = product.a + index * product.aBatch + row * product.aRow, b = product.b + index * product.bBatch;
    const c = product.c + index * product.cBatch + row * product.cRow + (column << 2);
    const from = product.from ? product.from + index * product.fromBatch + row * product.fromRow + (column << 2) : 0;
    const fives = min<usize>(rows, product.fives > row ? product.fives - row : 0);
    let p: usize = 0;
    do {
      const depth = min<usize>(product.depth, k - p);
      let panels = scratch + SPILL, panelBytes = depth << 5;
      if (product.storage == PACKED) panels = b + (column >> 3) * (k << 5) + (p << 5), panelBytes = k << 5;
      else packInto(product, panels, b, p, depth, column, columns);
      if (p == 0) block(product, a, 0, panels, panelBytes, depth, c, from, product.fromRow, rows, fives, columns, scratch);
      else block(product, a, p << 2, panels, panelBytes, depth, c, c, product.cRow, rows, fives, columns, scratch);
      p += depth;
    } while (p < k);
  }
}

/** Rows whose part of A stays in the second-level cache while all panels of a task pass. */
const ROWS: usize = 40;

/** One block of depth of a task, its terms `at` bytes into a row of A: rows in fives, then the rest in fours. */
function block(product: Product, a: usize, at: usize, panels: usize, panelBytes: usize, depth: usize, c: usize, from: usize, fromRow: usize, rows: usize, fives: usize, columns: usize, spill: usize): void {
  for (let i: usize = 0; i < rows; ) {
    const height: usize = i < fives ? 5 : 4, count = min<usize>(i < fives ? fives - i : rows - i, ROWS);
    const tile = a + i * product.aRow + (product.aPacked ? at * height : at), to = c + i * product.cRow, base = from ? from + i * fromRow : 0;
    for (let j: usize = 0; j < columns; j += 8) {
      const panel = panels + (j >> 3) * panelBytes, cj = to + (j << 2), fj = base ? base + (j << 2) : 0;
      if (j + 8 <= columns) strips(product, height, tile, panel, depth, cj, product.cRow, fj, fromRow, count);
      else edge(product, height, tile, panel, depth, cj, fj, fromRow, count, columns - j, spill);
    }
    i += count;
  }
}

@inline
function strips(product: Product, height: usize, a: usize, panel: usize, depth: usize, c: usize, cRow: usize, from: usize, fromRow: usize, rows: usize): void {
  const row = product.aRow;
  if (product.aPacked) {
    if (height == 5) packedStrip5(a, row * 5, panel, depth, c, cRow, from, fromRow, rows / 5);
    else packedStrip4(a, row << 2, panel, depth, c, cRow, from, fromRow, rows);
  } else if (height == 5) strip5(a, row, panel, depth, c, cRow, from, fromRow, rows / 5);
  else strip4(a, row, panel, depth, c, cRow, from, fromRow, rows);
}

/** Tiles that are not 8 columns: computed aside, then stored element by element. */
function edge(product: Product, height: usize, a: usize, panel: usize, depth: usize, c: usize, from: usize, fromRow: usize, rows: usize, columns: usize, spill: usize): void {
  for (let i: usize = 0; i < rows; ) {
    const count = min<usize>(height, rows - i);
    strips(product, height, a + i * product.aRow, panel, depth, spill, 32, 0, 0, count);
    for (let r: usize = 0; r < count; r++, i++) {
      for (let j: usize = 0; j < columns; j++) {
        let value = load<f32>(spill + (r << 5) + (j << 2));
        if (from != 0) value = load<f32>(from + i * fromRow + (j << 2)) + value;
        store<f32>(c + i * product.cRow + (j << 2), value);
      }
    }
  }
}

/** All of B to panels at `to`, [⌈n / 8⌉][k][8]; tasks are four panels. For products with few columns, whose tasks are rows and share the panels. */
export function packPanels(product: Product, to: usize, first: usize, end: usize, scratch: usize): void {
  for (let task = first; task < end; task++)
    packInto(product, to + (task << 2) * (product.k << 5), product.b, 0, product.k, task << 5, min<usize>(32, product.n - (task << 5)));
}
