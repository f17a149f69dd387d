// Products of matrices in every orientation, whatever the right side is stored as: which of the kernels takes one. All sum in f32, and in the same order
// every time.
import type { View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { gemmInRegisters } from "./gemm-registers.ts";
import type { Right } from "./gemm-right.ts";
import { gemmByElement, gemmByRows } from "./gemm-small.ts";
import { gemmInTiles } from "./gemm-tiles.ts";

/** Y[i, j] = C + Σ_p A[i, p]·B[p, j], `batch` times. */
export interface Gemm {
  /** The op's. */
  readonly name: string;
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** f32 [batch, m, k], or [batch, k, m] if transposed. */
  readonly a: View;
  /** [batch, k, n], or [batch, n, k] if transposed. */
  readonly b: Right;
  readonly y: View;
  /** As much as y, or one row [n]. */
  readonly c?: View | undefined;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const FEW_ROWS = 16;
/** Multiplications that are not worth a program of its own. */
const FEW = 1 << 14;

export function gemm(gpu: Gpu, problem: Gemm): void {
  const { batch, m, k, n, transposeA, transposeB } = problem;
  if (m < FEW_ROWS && batch === 1 && transposeB && !transposeA && k % 8 === 0 && k > 0) gemmByRows(gpu, problem);
  else if (m < FEW_ROWS || batch * m * k * n < FEW) gemmByElement(gpu, problem);
  else if (gpu.facts.software) gemmInRegisters(gpu, problem);
  else gemmInTiles(gpu, problem);
}
