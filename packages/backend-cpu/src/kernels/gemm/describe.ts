// The structs of product.as.ts, written word by word into the runtime's tables for the kernel that is about to run.
import { type DType, dynamicMap, type QFormat } from "@qlora-js/core";
import type { Runtime } from "../../runtime.ts";

/** A weight in 4 bits, by address; `map` is used where scales are 8-bit codes. */
export interface QuantizedWeight {
  readonly format: QFormat;
  readonly codes: number;
  readonly scales: number;
  /** Present where the scales are double-quantized. */
  readonly nested?: { readonly scales2: number; readonly offset: number };
  /** Size of a row, in weights. */
  readonly width: number;
}

/** How B is stored; numbers as in product.as.ts. */
export const STORAGE = { f32: 0, bf16: 1, f16: 2, q4: 3, packed: 4 } as const;
export type FloatType = Extract<DType, "f32" | "bf16" | "f16">;

export interface ProductFields {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: number;
  readonly c: number;
  readonly cRow: number;
  readonly cColumn: number;
  readonly from: number;
  readonly fromRow: number;
  readonly fromColumn: number;
  readonly storage: number;
  readonly bTransposed: boolean;
  readonly b: number;
  readonly aBatch: number;
  readonly bBatch: number;
  readonly cBatch: number;
  readonly fromBatch: number;
  readonly rowsOfTask: number;
  readonly columnsOfTask: number;
}

const QUANTIZED_AT = 128;
const CODE_BOOK_AT = 192;
const MAP_AT = 256;
const MAP = dynamicMap("signed");

/** Terms that are summed before C is visited: panels of a task stay in the second-level cache. A multiple of 32 unless it is all. */
export const DEPTH = 512;
const depthOf = (k: number): number => (k <= DEPTH + DEPTH / 4 ? k : Math.ceil(k / Math.ceil(k / DEPTH) / 32) * 32);

/** Writes a Quantized; returns its address. */
export function describeQuantized(rt: Runtime, { format, codes, scales, nested, width }: QuantizedWeight): number {
  const { tables, memory } = rt;
  new Float32Array(memory.buffer, tables + CODE_BOOK_AT, 16).set(format.codeBook);
  if (nested) new Float32Array(memory.buffer, tables + MAP_AT, 256).set(MAP);
  const map = nested ? tables + MAP_AT : 0;
  const blockShift = Math.log2(format.blockSize);
  rt.writeWords(tables + QUANTIZED_AT, [
    codes,
    scales,
    map,
    nested?.scales2 ?? 0,
    nested?.offset ?? 0,
    blockShift,
    tables + CODE_BOOK_AT,
    width,
  ]);
  return tables + QUANTIZED_AT;
}

/** Writes a Product; returns its address. */
export function describeProduct(rt: Runtime, p: ProductFields): number {
  const bRow = p.bTransposed ? p.k : p.n;
  rt.writeWords(rt.tables, [
    ...[p.m, p.n, p.k, p.a, p.k * 4, p.c, p.cRow, p.cColumn, p.from, p.fromRow, p.fromColumn, p.storage, p.bTransposed ? 1 : 0, p.b, bRow],
    ...[p.aBatch, p.bBatch, p.cBatch, p.fromBatch, depthOf(p.k), p.rowsOfTask, p.columnsOfTask],
  ]);
  return rt.tables;
}
