// Products of matrices in every orientation, whatever the right side is stored as. Sums in f32, in ascending order of the inner index.
import type { View } from "@qlora-js/core";
import type { Constant, Gpu } from "../dispatch.ts";

/** How the right side is read: `b_at(i)`, its element at flat position i. */
export interface Right {
  readonly reads: Readonly<Record<string, View>>;
  readonly constants: Readonly<Record<string, Constant>>;
  readonly wgsl: string;
}

/** Y[i, j] = C + Σ_p A[i, p]·B[p, j], `batch` times. */
export interface Gemm {
  readonly name: string;
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly a: View;
  readonly b: Right;
  readonly y: View;
  /** As much as y, or one row [n]. */
  readonly c?: View | undefined;
  /** a is stored [k, m]; b is stored [n, k]. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export function gemm(gpu: Gpu, { name, batch, m, k, n, a, b, y, c, transposeA, transposeB }: Gemm): void {
  const row = c?.shape.length === 1;
  gpu.dispatch({
    name,
    constants: { transposeA, transposeB, addend: c ? (row ? "row" : "full") : "none", ...b.constants },
    reads: { a, ...b.reads, ...(c ? { c } : {}) },
    writes: { y },
    params: { m, k, n },
    grid: { threads: batch * m * n },
    wgsl: () => `${b.wgsl}
fn thread(t: u32) {
  let j = t % params.n;
  let i = (t / params.n) % params.m;
  let z = t / params.n / params.m;
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    sum += a_at(z * params.m * params.k + ${transposeA ? "p * params.m + i" : "i * params.k + p"}) * b_at(z * params.k * params.n + ${transposeB ? "j * params.k + p" : "p * params.n + j"});
  }
  y[t] = sum${c ? ` + c_at(${row ? "j" : "t"})` : ""};
}`,
  });
}
