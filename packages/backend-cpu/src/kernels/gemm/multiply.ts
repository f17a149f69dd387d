// C = from + A·B by addresses, for launchers: chooses how a product is cut into tasks, and which operand is packed first. None of these
// choices changes a bit of the result: an element's terms are added in order of depth, in blocks that depend on k alone (and, for one or two rows
// against rows of B, in few-rows.as.ts's order).
import type { Runtime } from "../../runtime.ts";
import {
  codeBookOf,
  describeProduct,
  describeQuantized,
  type FloatType,
  fivesOf,
  type ProductFields,
  type QuantizedWeight,
  STORAGE,
} from "./describe.ts";

/** B as floats: [k, n], or [n, k] where transposed. */
export interface FloatOperand {
  readonly type: FloatType;
  readonly pointer: number;
  readonly transposed: boolean;
}
/** B as a 4-bit weight [k, n], or [n, k] where transposed. */
export interface QuantizedOperand {
  readonly weight: QuantizedWeight;
  readonly transposed: boolean;
}

/** Everything contiguous and row-major. */
export interface Multiplication {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** f32 [m, k], or [k, m] where transposed. */
  readonly a: number;
  readonly aTransposed?: boolean;
  readonly b: FloatOperand | QuantizedOperand;
  /** f32 [m, n]. */
  readonly c: number;
  /** What is added: f32 [m, n], or one row [n]. */
  readonly from?: { readonly pointer: number; readonly row: boolean } | undefined;
  /** How many such products lie one behind the other; 1 by default. Then b is f32, bf16 or f16. */
  readonly batch?: number;
}

const COLUMNS_OF_TASK = 32;
const WIDE_TASK = 64; // where there are enough of them: A is read half as often
const FEW_COLUMNS = 256; // up to here rows are cut instead, and all tasks share panels that were packed before
const PANEL_ROOM = 4 * 2 ** 20; // unless the panels would take more bytes than this
const LEAST_ROWS = 20;
const PACK_ROWS = 40; // as in pack-rows.as.ts
const PACK_LEAST_COLUMNS = 96; // fewer do not earn the packing of A
const PACK_ROOM = 16 * 2 ** 20; // tiles of A beyond this many bytes are packed, and multiplied, a part of the rows at a time
const TASK_TERMS = 200_000; // products and sums of the least work worth a thread, about 10 µs
const MOST_FEW_ROWS = 2; // more are faster by panels
const FEW_ROWS_STRIP = 16; // outputs of a task, as in few-rows.as.ts
const FEW_ROWS_DEPTH = 2 ** 16; // the scales of a strip fit in scratch
const FEW_ROWS_TERMS = 50_000; // the same time at their speed
const PACK_TERMS = 25_000; // the same time for packing
const FEW_ROWS: Readonly<Record<number, string>> = {
  [STORAGE.f32]: "fewRowsF32",
  [STORAGE.bf16]: "fewRowsBf16",
  [STORAGE.f16]: "fewRowsF16",
  [STORAGE.q4]: "fewRowsQ4",
};

/** Runs it. @throws OutOfMemoryError if there is no room for a packed operand */
export function multiply(rt: Runtime, given: Multiplication): void {
  const { m, n, batch = 1 } = given;
  if (m === 0 || n === 0 || batch === 0) return;
  if (given.aTransposed || (m >= LEAST_ROWS && n >= PACK_LEAST_COLUMNS)) runPacked(rt, given, batch);
  else run(rt, batch, productOf(rt, given));
}

function productOf(rt: Runtime, { m, n, k, a, b, c, from }: Multiplication): ProductFields {
  const row = from?.row === true;
  const quantized = "weight" in b;
  return {
    m,
    n,
    k,
    a,
    aPacked: false,
    c,
    cRow: n * 4,
    from: from ? from.pointer : 0,
    fromRow: row ? 0 : n * 4,
    storage: quantized ? STORAGE.q4 : STORAGE[b.type],
    bTransposed: b.transposed,
    b: quantized ? describeQuantized(rt, b.weight) : b.pointer,
    aBatch: m * k * 4,
    bBatch: quantized ? 0 : k * n * (b.type === "f32" ? 4 : 2),
    cBatch: m * n * 4,
    fromBatch: row ? 0 : m * n * 4,
    rowsOfTask: m,
    columnsOfTask: COLUMNS_OF_TASK,
  };
}

/** Cuts and runs: by columns, each task packing its own; by rows over panels packed before; or row by row of B, where A has only one or two. */
function run(rt: Runtime, batch: number, product: ProductFields): void {
  const { m, n, k, storage } = product;
  const step = storage === STORAGE.q4 ? 32 : 4;
  const panelBytes = Math.ceil(n / 8) * k * 32;
  const alongRows = batch === 1 && product.bTransposed && !product.aPacked;
  if (m <= MOST_FEW_ROWS && alongRows && k > 0 && k <= FEW_ROWS_DEPTH && k % step === 0) runFewRows(rt, product);
  else if (m >= 3 * LEAST_ROWS && batch === 1 && n < FEW_COLUMNS && k > 0 && panelBytes <= PANEL_ROOM)
    runFewColumns(rt, product, panelBytes);
  else {
    if (batch * n >= 8 * WIDE_TASK * rt.threads) product.columnsOfTask = WIDE_TASK;
    const tasks = Math.ceil(n / product.columnsOfTask) * batch;
    rt.run("gemm", [describeProduct(rt, product)], tasks, grainOf(rt, tasks, m * k * product.columnsOfTask));
  }
}

function runFewRows(rt: Runtime, product: ProductFields): void {
  const { m, n, k, storage } = product;
  if (storage === STORAGE.q4) rt.run("pairTable", [codeBookOf(rt)]);
  const tasks = Math.ceil(n / FEW_ROWS_STRIP);
  rt.run(FEW_ROWS[storage]!, [describeProduct(rt, product)], tasks, grainOf(rt, tasks, m * k * FEW_ROWS_STRIP, FEW_ROWS_TERMS));
}

function runFewColumns(rt: Runtime, product: ProductFields, panelBytes: number): void {
  const { m, n } = product;
  rt.withRoom(panelBytes, (panels) => {
    rt.run("packPanels", [describeProduct(rt, product), panels], Math.ceil(n / COLUMNS_OF_TASK));
    product.storage = STORAGE.packed;
    product.b = panels;
    product.columnsOfTask = n;
    product.rowsOfTask = Math.max(LEAST_ROWS, Math.floor(m / (4 * rt.threads) / 5) * 5);
    rt.run("gemm", [describeProduct(rt, product)], Math.ceil(m / product.rowsOfTask));
  });
}

/** Tasks to take at a time: enough to be worth a thread, but not so many that threads go without. */
function grainOf(rt: Runtime, tasks: number, terms: number, least = TASK_TERMS): number {
  return Math.min(Math.ceil(least / Math.max(terms, 1)), Math.max(1, Math.ceil(tasks / (2 * rt.threads))));
}

/** Packs A into tiles, and runs. Products of a batch, or parts of the rows, go one after the other where the tiles of all are more than PACK_ROOM. */
function runPacked(rt: Runtime, given: Multiplication, batch: number): void {
  const { m, n, k, a, aTransposed = false, b, c, from } = given;
  const aBytes = (m + 3) * k * 4; // the last tile may have rows that are none
  const rows = Math.max(PACK_ROWS, Math.floor(PACK_ROOM / Math.max(k * 4, 1) / PACK_ROWS) * PACK_ROWS);
  const step = batch * aBytes <= PACK_ROOM || m <= rows ? m : rows;
  const together = batch * aBytes <= PACK_ROOM ? batch : 1;
  rt.withRoom(together * (step + 3) * k * 4, (tiles) => {
    for (let index = 0; index < batch; index += together)
      for (let i = 0; i < m; i += step) {
        const part = Math.min(step, m - i);
        const at = index * m + i;
        const first = a + (aTransposed ? index * m * k + i : at * k) * 4;
        for (let t = 0; t < together; t++) packRows(rt, tiles + t * aBytes, first + t * m * k * 4, aTransposed, m, part, k);
        const product = productOf(rt, {
          ...given,
          b: "weight" in b ? b : { ...b, pointer: b.pointer + index * k * n * (b.type === "f32" ? 4 : 2) },
          c: c + at * n * 4,
          from: from && { ...from, pointer: from.row ? from.pointer : from.pointer + at * n * 4 },
        });
        run(rt, together, { ...product, m: part, a: tiles, aPacked: true, aBatch: aBytes, rowsOfTask: part });
      }
  });
}

/** Rows of one A, of which `m` lie in the memory, to tiles. */
function packRows(rt: Runtime, to: number, a: number, transposed: boolean, m: number, rows: number, k: number): void {
  const tasks = Math.ceil(rows / PACK_ROWS);
  rt.run(
    "packRows",
    [to, a, (transposed ? m : k) * 4, transposed ? 1 : 0, rows, k, fivesOf(rows)],
    tasks,
    grainOf(rt, tasks, k * PACK_ROWS, PACK_TERMS),
  );
}
