// Products whose right side takes more bindings than a kernel has: part by part of its rows, which are columns of the product, or, where it is not transposed,
// terms of every sum. One product only, as of a vocabulary's matrix.
import { sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { partOf, type Stretch } from "../part.ts";
import { type Gemm, gemm } from "./gemm.ts";
import { floats } from "./gemm-right.ts";
import { moveElements } from "./move-elements.ts";

/** @param parts of the rows of b, a matrix: what `stretchesOf` says */
export function matmulInParts(gpu: Gpu, problem: Gemm, b: View, parts: readonly Stretch[]): void {
  for (const part of parts) {
    if (problem.transposeB) columns(gpu, problem, partOf(b, part), part);
    else terms(gpu, problem, partOf(b, part), part);
  }
}

/** Columns first … first + count − 1 of Y: they are made by themselves, and put into their place. */
function columns(gpu: Gpu, problem: Gemm, b: View, { first, count }: Stretch): void {
  const { name, m, n, y, c } = problem;
  const part = gpu.temporary("f32", [m, count]);
  gemm(gpu, { ...problem, n: count, b: floats(b), y: part, c: undefined });
  const row = c?.shape.length === 1;
  gpu.dispatch({
    name: `${name}: columns`,
    constants: { addend: c ? (row ? "row" : "full") : "none" },
    reads: { part, ...(c ? { c } : {}) },
    writes: { y },
    params: { n, first, columns: count },
    grid: { threads: m * count },
    wgsl: () => `fn thread(i: u32) {
  let column = params.first + i % params.columns;
  let at = i / params.columns * params.n + column;
  y[at] = part_at(i)${c ? ` + c_at(${row ? "column" : "at"})` : ""};
}`,
  });
}

/** Terms first … first + count − 1 of the sums. What has come together before is the addend, so Y is written once more for each part, by turns with a copy. */
function terms(gpu: Gpu, problem: Gemm, b: View, part: Stretch): void {
  const { m, k, y, transposeA, c } = problem;
  const before = part.first === 0 ? c : gpu.temporary("f32", y.shape);
  if (before && part.first > 0) gpu.copy(y, 0, before, 0, 4 * sizeOf(y.shape));
  let a = problem.a;
  if (transposeA) a = partOf({ ...a, shape: [k, m] }, part);
  else {
    a = gpu.temporary("f32", [m, part.count]);
    const source = "fn source(i: u32) -> u32 { return i / params.columns * params.k + params.first + i % params.columns; }";
    moveElements(gpu, `${problem.name}: terms`, problem.a, a, { source, params: { k, first: part.first, columns: part.count } });
  }
  gemm(gpu, { ...problem, k: part.count, a, b: floats(b), c: before });
}
