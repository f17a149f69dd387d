// What a product is, as its launcher writes it down: C = from + A·B. Fields are u32; describe.ts writes them in this order.

/** How B is stored. */
export const F32: u32 = 0;
export const BF16: u32 = 1;
export const F16: u32 = 2;
export const Q4: u32 = 3;
/** Panels [⌈n / 8⌉][k][8] of f32, as packPanels leaves them. */
export const PACKED: u32 = 4;

/** A frozen 4-bit weight [rows, columns]: two codes a byte, the first in the high half, blocks of 2^blockShift over the flattened weight. */
@unmanaged
export class Quantized {
  codes: usize;
  /** f32, one a block; or, where map is not 0, u8 codes of map. */
  scales: usize;
  /** The 256 values of the 8-bit map, or 0. */
  map: usize;
  /** f32, one for every 256 scales. */
  scales2: usize;
  /** f32, one. */
  offset: usize;
  blockShift: u32;
  /** 16 f32. */
  codeBook: usize;
  /** Size of a row, in weights. */
  width: usize;
}

@unmanaged
export class Product {
  m: usize;
  n: usize;
  k: usize;
  /** A is f32, its rows contiguous; or tiles, as packRows leaves them. Steps are in bytes. */
  a: usize;
  aRow: usize;
  aPacked: u32;
  c: usize;
  cRow: usize;
  /** 0: nothing is added. */
  from: usize;
  fromRow: usize;
  storage: u32;
  /** 1: B is stored [n, k]; 0: [k, n]. */
  bTransposed: u32;
  /** Address, or that of a Quantized. */
  b: usize;
  /** Elements from a row of B to the next. */
  bRow: usize;
  /** From a product of a batch to the next; 0 where all share it. */
  aBatch: usize;
  bBatch: usize;
  cBatch: usize;
  fromBatch: usize;
  /** Depth of a block. */
  depth: usize;
  /** Rows that go in tiles of 5; the others go in tiles of 4. */
  fives: usize;
  /** How a product is cut into tasks; rows in a multiple of 5. */
  rowsOfTask: usize;
  columnsOfTask: usize;
}
