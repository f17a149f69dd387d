// The structs of product.as.ts, written word by word into the runtime's tables for the kernel that is about to run.
import { type DType, dynamicMap, type QFormat } from "@qlora-js/core";
import type { Runtime } from "../../runtime.ts";

/** A weight in 4 bits, by address. */
export interface QuantizedWeight {
  readonly format: QFormat;
  readonly codes: number;
  readonly scales: number;
  /** Present where the scales are double-quantized. */
  readonly nested?: { readonly scales2: number; readonly offset: number } | undefined;
  /** Size of a row, in weights. */
  readonly width: number;
}

/** How B is stored; numbers as in product.as.ts. */
export const STORAGE = { f32: 0, bf16: 1, f16: 2, q4: 3, packed: 4 } as const;
export type FloatType = Extract<DType, "f32" | "bf16" | "f16">;

/** The fields of Product, but those that follow from others. */
export interface ProductFields {
  m: number;
  n: number;
  k: number;
  a: number;
  aPacked: boolean;
  c: number;
  cRow: number;
  from: number;
  fromRow: number;
  storage: number;
  bTransposed: boolean;
  b: number;
  aBatch: number;
  bBatch: number;
  cBatch: number;
  fromBatch: number;
  rowsOfTask: number;
  columnsOfTask: number;
}

const QUANTIZED = 32; // word positions in the tables
const CODE_BOOK = 48;
const MAP = 64;
const SIGNED_MAP = dynamicMap("signed");

/** Terms that are summed before C is visited: panels of a task stay in the second-level cache. A multiple of 32 unless it is all. */
const DEPTH = 1536;
const depthOf = (k: number): number => (k <= DEPTH ? k : Math.ceil(k / Math.ceil(k / DEPTH) / 32) * 32);

/** Rows of `m` that go in tiles of 5: what is left comes out in as many tiles of 4 as make it even. */
export function fivesOf(m: number): number {
  const rest = ((5 - (m % 5)) % 5) * 4;
  return rest <= m ? m - rest : 0;
}

/** Address of the code book that describeQuantized wrote. */
export const codeBookOf = (rt: Runtime): number => rt.tables + 4 * CODE_BOOK;

/** Writes a Quantized; returns its address. */
export function describeQuantized(rt: Runtime, { format, codes, scales, nested, width }: QuantizedWeight): number {
  const { tables, tableWords: words, tableFloats } = rt;
  tableFloats.set(format.codeBook, CODE_BOOK);
  if (nested) tableFloats.set(SIGNED_MAP, MAP);
  let at = QUANTIZED;
  words[at++] = codes;
  words[at++] = scales;
  words[at++] = nested ? tables + 4 * MAP : 0;
  words[at++] = nested ? nested.scales2 : 0;
  words[at++] = nested ? nested.offset : 0;
  words[at++] = Math.log2(format.blockSize);
  words[at++] = tables + 4 * CODE_BOOK;
  words[at++] = width;
  return tables + 4 * QUANTIZED;
}

/** Writes a Product; returns its address. */
export function describeProduct(rt: Runtime, p: Readonly<ProductFields>): number {
  const words = rt.tableWords;
  let at = 0;
  words[at++] = p.m;
  words[at++] = p.n;
  words[at++] = p.k;
  words[at++] = p.a;
  words[at++] = p.k * 4; // aRow
  words[at++] = p.aPacked ? 1 : 0;
  words[at++] = p.c;
  words[at++] = p.cRow;
  words[at++] = p.from;
  words[at++] = p.fromRow;
  words[at++] = p.storage;
  words[at++] = p.bTransposed ? 1 : 0;
  words[at++] = p.b;
  words[at++] = p.bTransposed ? p.k : p.n; // bRow
  words[at++] = p.aBatch;
  words[at++] = p.bBatch;
  words[at++] = p.cBatch;
  words[at++] = p.fromBatch;
  words[at++] = depthOf(p.k);
  words[at++] = fivesOf(p.m);
  words[at++] = p.rowsOfTask;
  words[at++] = p.columnsOfTask;
  return rt.tables;
}
