// C = from + A·B by addresses, for launchers: chooses how a product is cut into tasks, and which operand is transposed or packed first. None of these
// choices changes a bit of the result: an element's terms are added in order of depth, in blocks that depend on k alone (and, for one or two rows
// against rows of B, in few-rows.as.ts's order).
import type { Runtime } from "../../runtime.ts";
import {
  codeBookOf,
  describeProduct,
  describeQuantized,
  type FloatType,
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
const LEAST_ROWS = 16;
const TASK_TERMS = 200_000; // products and sums of the least work worth a thread, about 10 µs
const MOST_FEW_ROWS = 2; // more are faster by panels
const FEW_ROWS_STRIP = 16; // outputs of a task, as in few-rows.as.ts
const FEW_ROWS_DEPTH = 2 ** 16; // the scales of a strip fit in scratch
const FEW_ROWS_TERMS = 50_000; // the same time at their speed
const FEW_ROWS: Readonly<Record<number, string>> = {
  [STORAGE.f32]: "fewRowsF32",
  [STORAGE.bf16]: "fewRowsBf16",
  [STORAGE.f16]: "fewRowsF16",
  [STORAGE.q4]: "fewRowsQ4",
};

/** Runs it. @throws OutOfMemoryError if there is no room for a transposed or packed operand */
export function multiply(rt: Runtime, given: Multiplication): void {
  const { m, n, batch = 1 } = given;
  if (m === 0 || n === 0 || batch === 0) return;
  if (given.aTransposed) multiplyTransposed(rt, given);
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
    c,
    cRow: n * 4,
    cColumn: 4,
    from: from ? from.pointer : 0,
    fromRow: row ? 0 : n * 4,
    fromColumn: 4,
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
  const alongRows = batch === 1 && product.bTransposed && product.cColumn === 4;
  if (m <= MOST_FEW_ROWS && alongRows && k > 0 && k <= FEW_ROWS_DEPTH && k % step === 0) runFewRows(rt, product);
  else if (m >= 4 * LEAST_ROWS && batch === 1 && n < FEW_COLUMNS && k > 0 && panelBytes <= PANEL_ROOM)
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
    product.rowsOfTask = Math.max(LEAST_ROWS, Math.ceil(m / (4 * rt.threads)));
    rt.run("gemm", [describeProduct(rt, product)], Math.ceil(m / product.rowsOfTask));
  });
}

/** Tasks to take at a time: enough to be worth a thread, but not so many that threads go without. */
function grainOf(rt: Runtime, tasks: number, terms: number, least = TASK_TERMS): number {
  return Math.min(Math.ceil(least / Math.max(terms, 1)), Math.max(1, Math.ceil(tasks / (2 * rt.threads))));
}

/**
 * A stored [k, m]. Rows of A must be contiguous for the micro-kernel, so either A is transposed first, or the product is made the other way round,
 * Cᵀ = Bᵀ·Aᵀ, in which A as it lies is the packed operand and the rows are Bᵀ's: as it lies too, or transposed where that is less to move.
 */
function multiplyTransposed(rt: Runtime, given: Multiplication): void {
  const { m, n, k, a, b, batch = 1 } = given;
  if ("weight" in b || b.type !== "f32" || (!b.transposed && 2 * n > m))
    withTransposed(rt, a, k, m, batch, (rows) => run(rt, batch, productOf(rt, { ...given, a: rows })));
  else if (b.transposed) run(rt, batch, turned(rt, given, b.pointer));
  else withTransposed(rt, b.pointer, k, n, batch, (rows) => run(rt, batch, turned(rt, given, rows)));
}

/** Cᵀ = fromᵀ + Bᵀ·Aᵀ, where `rows` is Bᵀ, [n, k]. */
function turned(rt: Runtime, { m, n, k, a, c, from }: Multiplication, rows: number): ProductFields {
  const product = productOf(rt, { m: n, n: m, k, a: rows, b: { type: "f32", pointer: a, transposed: false }, c });
  product.cRow = 4;
  product.cColumn = n * 4;
  product.from = from ? from.pointer : 0;
  product.fromRow = 4;
  product.fromColumn = from?.row ? 0 : n * 4;
  product.fromBatch = from?.row ? 0 : m * n * 4;
  return product;
}

/** Calls with the address of xᵀ for each x [rows, columns] of a batch. */
function withTransposed(rt: Runtime, x: number, rows: number, columns: number, batch: number, use: (pointer: number) => void): void {
  const bytes = rows * columns * 4;
  rt.withRoom(batch * bytes, (pointer) => {
    for (let i = 0; i < batch; i++) rt.run("transpose", [pointer + i * bytes, x + i * bytes, rows, columns], Math.ceil(columns / 32));
    use(pointer);
  });
}
