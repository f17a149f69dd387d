// C = from + A·B by addresses, for launchers: chooses how a product is cut into tasks, and which operand is transposed or packed first. None of these
// choices changes a bit of the result: an element's terms are added in order of depth in blocks that depend on k alone.
import type { Runtime } from "../../runtime.ts";
import { describeProduct, describeQuantized, type FloatType, type ProductFields, type QuantizedWeight, STORAGE } from "./describe.ts";

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
const FEW_COLUMNS = 256; // up to here rows are cut instead, and all tasks share panels that were packed before
const PANEL_ROOM = 4 * 2 ** 20; // unless the panels would take more bytes than this
const LEAST_ROWS = 16;
const TASK_TERMS = 200_000; // products and sums of the least work worth a thread, about 10 µs

const BYTES = { f32: 4, bf16: 2, f16: 2 } as const;

/** Runs it. @throws OutOfMemoryError if there is no room for a transposed or packed operand */
export function multiply(rt: Runtime, given: Multiplication): void {
  const { m, n, k, b, batch = 1 } = given;
  if (m === 0 || n === 0 || batch === 0) return;
  if (given.aTransposed) return multiplyTransposed(rt, given);
  const quantized = "weight" in b;
  const row = given.from?.row === true;
  runProduct(rt, batch, {
    ...{ m, n, k, a: given.a, c: given.c, cRow: n * 4, cColumn: 4 },
    ...{ from: given.from?.pointer ?? 0, fromRow: row ? 0 : n * 4, fromColumn: 4 },
    ...(quantized
      ? { storage: STORAGE.q4, b: describeQuantized(rt, b.weight), bBatch: 0 }
      : { storage: STORAGE[b.type], b: b.pointer, bBatch: k * n * BYTES[b.type] }),
    bTransposed: b.transposed,
    ...{ aBatch: m * k * 4, cBatch: m * n * 4, fromBatch: row ? 0 : m * n * 4 },
  });
}

type Uncut = Omit<ProductFields, "rowsOfTask" | "columnsOfTask">;

/** Cuts and runs: by columns, each task packing its own; or, where columns are few and rows many, by rows over panels packed before. */
function runProduct(rt: Runtime, batch: number, product: Uncut): void {
  const { m, n, k } = product;
  const panelBytes = Math.ceil(n / 8) * k * 32;
  if (batch === 1 && m >= 4 * LEAST_ROWS && n < FEW_COLUMNS && k > 0 && panelBytes <= PANEL_ROOM) {
    rt.withRoom(panelBytes, (panels) => {
      const uncut = describeProduct(rt, { ...product, rowsOfTask: m, columnsOfTask: n });
      rt.run("packPanels", [uncut, panels], Math.ceil(n / COLUMNS_OF_TASK));
      const rowsOfTask = Math.max(LEAST_ROWS, Math.ceil(m / (4 * rt.threads)));
      const cut = { ...product, storage: STORAGE.packed, b: panels, rowsOfTask, columnsOfTask: n };
      rt.run("gemm", [describeProduct(rt, cut)], Math.ceil(m / rowsOfTask));
    });
    return;
  }
  const tasks = Math.ceil(n / COLUMNS_OF_TASK) * batch;
  const grain = Math.min(Math.ceil(TASK_TERMS / (m * Math.max(k, 1) * COLUMNS_OF_TASK)), Math.max(1, Math.floor(tasks / rt.threads)));
  rt.run("gemm", [describeProduct(rt, { ...product, rowsOfTask: m, columnsOfTask: COLUMNS_OF_TASK })], tasks, grain);
}

/**
 * A stored [k, m]. Rows of A must be contiguous for the micro-kernel, so either A is transposed first, or the product is made the other way round,
 * Cᵀ = Bᵀ·Aᵀ, in which A as it lies is the packed operand and the rows are Bᵀ's: as it lies too, or transposed where that is less to move.
 */
function multiplyTransposed(rt: Runtime, given: Multiplication): void {
  const { m, n, k, a, b, c, from, batch = 1 } = given;
  if (!("weight" in b) && b.type === "f32" && (b.transposed || 2 * n <= m)) {
    const rows = (pointer: number): void =>
      runProduct(rt, batch, {
        ...{ m: n, n: m, k, a: pointer, c, cRow: 4, cColumn: n * 4 },
        ...{ from: from?.pointer ?? 0, fromRow: 4, fromColumn: from?.row ? 0 : n * 4 },
        ...{ storage: STORAGE.f32, b: a, bTransposed: false },
        ...{ aBatch: n * k * 4, bBatch: k * m * 4, cBatch: m * n * 4, fromBatch: from?.row ? 0 : m * n * 4 },
      });
    if (b.transposed) rows(b.pointer);
    else withTransposed(rt, b.pointer, k, n, batch, rows);
    return;
  }
  withTransposed(rt, a, k, m, batch, (rows) => multiply(rt, { ...given, a: rows, aTransposed: false }));
}

/** Calls with the address of xᵀ for each x [rows, columns] of a batch. */
function withTransposed(rt: Runtime, x: number, rows: number, columns: number, batch: number, use: (pointer: number) => void): void {
  const bytes = rows * columns * 4;
  rt.withRoom(batch * bytes, (pointer) => {
    for (let i = 0; i < batch; i++) rt.run("transpose", [pointer + i * bytes, x + i * bytes, rows, columns], Math.ceil(columns / 32));
    use(pointer);
  });
}
