// Products of few rows (generation), and small ones.
import type { Gpu } from "../dispatch.ts";
import type { Gemm } from "./gemm.ts";
import { addendOf } from "./gemm-addend.ts";
import { eightFloats } from "./gemm-right.ts";
import { type Folds, foldsOn, IN_MEMORY, WIDTH } from "./workgroup-fold.ts";

/** A thread for each element of Y. */
export function gemmByElement(gpu: Gpu, problem: Gemm): void {
  const { name, batch, m, k, n, a, b, y, transposeA, transposeB } = problem;
  const { reads, kind, plus } = addendOf(problem);
  gpu.dispatch({
    name: `${name} by element`,
    constants: { transposeA, transposeB, addend: kind, ...b.constants },
    reads: { a, ...b.reads, ...reads },
    writes: { y },
    params: { m, k, n },
    grid: { threads: batch * m * n },
    wgsl: () => `${b.wgsl(false)}
fn thread(t: u32) {
  let column = t % params.n;
  let row = (t / params.n) % params.m;
  let product = t / params.n / params.m;
  let a_from = product * params.m * params.k + row * ${transposeA ? "1u" : "params.k"};
  let b_from = product * params.k * params.n + column * ${transposeB ? "params.k" : "1u"};
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    sum += a_at(a_from + p * ${transposeA ? "params.m" : "1u"}) * b_at(b_from + p * ${transposeB ? "1u" : "params.n"});
  }
  y[t] = sum${plus("t", "column")};
}`,
  });
}

const COLUMNS = 4;

/**
 * Y = C + A·Bᵀ for a few rows of A, where 8 divides k: each row of B is read once, eight elements at a time, for up to eight rows of A.
 * On a GPU the threads of a workgroup share the inner axis of four columns; on a processor, where barriers are dear, a thread has a column to itself.
 */
export function gemmByRows(gpu: Gpu, problem: Gemm): void {
  const { name, m, k, n, a, b, y } = problem;
  const { reads, kind, plus } = addendOf(problem);
  const tiles = !gpu.facts.software;
  const rows = [1, 2, 4, 8].find((count) => count >= m) ?? 8;
  const columns = tiles ? COLUMNS : 1;
  const folds = tiles ? foldsOn(gpu) : IN_MEMORY;
  const units = Math.ceil(n / columns) * Math.ceil(m / rows);
  gpu.dispatch({
    name: `${name} by rows`,
    ...folds.how,
    constants: { rows, columns, addend: kind, ...folds.constants, ...b.constants },
    reads: { a, ...b.reads, ...reads },
    writes: { y },
    params: { m, k, n },
    grid: tiles ? { workgroups: units, size: WIDTH } : { threads: units },
    wgsl: () => `${eightFloats("a")}
${b.wgsl(tiles)}
${dot(rows, columns)}
fn store(row: u32, column: u32, sum: f32) {
  if (row < params.m && column < params.n) { y[row * params.n + column] = sum${plus("row * params.n + column", "column")}; }
}
${tiles ? shared(folds) : alone}`,
  });
}

/** sums[row · columns + column] over inner eights `first`, `first + step`, … */
const dot = (rows: number, columns: number): string => `
const SUMS = ${rows * columns}u;
fn dot_of(row0: u32, column0: u32, first: u32, step: u32) -> array<f32, SUMS> {
  var sums: array<f32, SUMS>;
  for (var p = first * 8u; p < params.k; p += step * 8u) {
    ${Array.from({ length: columns }, (_, j) => `let b${j} = b_eight(min(column0 + ${j}u, params.n - 1u) * params.k + p);`).join("\n    ")}
    ${Array.from(
      { length: rows },
      (_, i) => `{
      let x = a_eight(min(row0 + ${i}u, params.m - 1u) * params.k + p);
      ${Array.from({ length: columns }, (_, j) => `sums[${i * columns + j}] += dot(x[0], b${j}[0]) + dot(x[1], b${j}[1]);`).join("\n      ")}
    }`,
    ).join("\n    ")}
  }
  return sums;
}`;

const alone = `
fn thread(t: u32) {
  let row0 = (t / params.n) * rows;
  let sums = dot_of(row0, t % params.n, 0u, 1u);
  for (var i = 0u; i < rows; i++) { store(row0 + i, t % params.n, sums[i]); }
}`;

const shared = ({ near }: Folds): string => `
${near}
var<workgroup> parts: array<array<f32, ${WIDTH}>, SUMS>;
fn block(group: u32, local: u32) {
  let blocks = (params.n + columns - 1u) / columns;
  let row0 = (group / blocks) * rows;
  let column0 = (group % blocks) * columns;
  b_begin(local);
  workgroupBarrier();
  let sums = dot_of(row0, column0, local, ${WIDTH}u);
  for (var s = 0u; s < SUMS; s++) {
    let sum = near(sums[s]);
    if (lead(local)) { parts[s][seat(local)] = sum; }
  }
  workgroupBarrier();
  if (local < SUMS) {
    var sum = 0.0;
    for (var t = 0u; t < seats(); t++) { sum += parts[local][t]; }
    store(row0 + local / columns, column0 + local % columns, sum);
  }
}`;
