// Products without workgroup memory, for adapters that are software: there a barrier and a load cost many multiplications, so each thread holds
// 8 rows × 8 columns of Y in registers, and what is not f32 by rows of the inner axis is unpacked first, a panel of columns at a time.
import { BYTES, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { windowsOf } from "../program-source.ts";
import type { Gemm } from "./gemm.ts";
import { addendOf } from "./gemm-addend.ts";

const ROWS = 8;
/** Threads beside one another that have the same rows, and neighbouring columns: their loads of A are one load, and those of B lie together. */
const LANES = 8;
/** Inner steps between two visits to the sums' variables. */
const STEPS = 4;
const PANEL_BYTES = 1 << 23;

/** The right side by rows of the inner axis, f32: columns `from` to `from + width` of B. */
interface Panel {
  readonly b: View;
  readonly from: number;
  readonly width: number;
}

export function gemmInRegisters(gpu: Gpu, problem: Gemm): void {
  const { batch, k, n, b, transposeB } = problem;
  if (b.f32 && !transposeB) {
    multiply(gpu, problem, { b: b.f32, from: 0, width: n });
    return;
  }
  const fit = Math.floor(PANEL_BYTES / BYTES.f32 / (batch * k) / 64) * 64;
  const most = Math.min(n, Math.max(64, fit));
  const panel = gpu.temporary("f32", [batch, k, most]);
  for (let from = 0; from < n; from += most) {
    const part = { b: panel, from, width: Math.min(most, n - from) };
    unpack(gpu, problem, part);
    multiply(gpu, problem, part);
  }
}

/** panel[z, p, j] = B[z, p, from + j], eight elements a thread where they lie in whole words. */
function unpack(gpu: Gpu, { batch, k, n, b, transposeB }: Gemm, { b: panel, from, width }: Panel): void {
  const eights = transposeB ? k % 8 === 0 : n % 8 === 0; // panels begin at multiples of 64
  const [deep, wide] = eights ? (transposeB ? [k / 8, width] : [k, width / 8]) : [k, width];
  const source = transposeB ? "j * params.k + p" : "p * params.n + j";
  gpu.dispatch({
    name: "unpack panel",
    constants: { transposeB, eights, ...b.constants },
    reads: b.reads,
    writes: { panel },
    params: { k, n, origin: from, width, deep, wide },
    grid: { threads: batch * deep * wide },
    wgsl: () => `${b.wgsl(false)}
fn thread(t: u32) {
  let z = t / params.wide / params.deep;
  let p = ((t / params.wide) % params.deep)${eights && transposeB ? " * 8u" : ""};
  let column = (t % params.wide)${eights && !transposeB ? " * 8u" : ""};
  let j = params.origin + column;
  let base = z * params.k * params.n + ${source};
  let to = (z * params.k + p) * params.width + column;
  ${eights ? `let values = b_eight(base);\n  ${Array.from({ length: 8 }, (_, q) => `panel[to + ${transposeB ? `${q}u * params.width` : `${q}u`}] = values[${q >> 2}][${q & 3}];`).join("\n  ")}` : "panel[to] = b_at(base);"}
}`,
  });
}

function multiply(gpu: Gpu, problem: Gemm, { b, from, width }: Panel): void {
  const { name, batch, m, k, n, a, y, transposeA } = problem;
  const { reads, kind, plus } = addendOf(problem);
  const columns = [2, 4].find((count) => count * LANES >= width) ?? 8;
  const single = (view: View): boolean => windowsOf(view, gpu.facts.maxBindingBytes) === 1;
  const read = (text: string, whole: boolean) => (at: string) => (whole ? `${text}[${at}]` : `${text}_word(${at})`);
  const tall = Math.ceil(m / ROWS);
  const wide = Math.ceil(width / (columns * LANES));
  gpu.dispatch({
    name: `${name} in registers`,
    constants: { transposeA, columns, addend: kind },
    reads: { a, b, ...reads },
    writes: { y },
    params: { m, k, n, origin: from, width, tall, wide },
    grid: { threads: batch * tall * wide * LANES },
    wgsl: () => registerTile({ columns, transposeA, a: read("a", single(a)), b: read("b", single(b)), plus }),
  });
}

interface Text {
  readonly columns: number;
  readonly transposeA: boolean;
  readonly a: (at: string) => string;
  readonly b: (at: string) => string;
  readonly plus: (at: string, column: string) => string;
}

const times = (n: number, line: (i: number) => string): string => Array.from({ length: n }, (_, i) => line(i)).join("\n");

/** Rows and columns beyond the matrix repeat its last, and are not stored. */
function registerTile(text: Text): string {
  const { columns, transposeA, plus } = text;
  return `fn thread(t: u32) {
let block = t / ${LANES}u;
let z = block / (params.wide * params.tall);
let top = (block / params.wide) % params.tall * ${ROWS}u;
let left = (block % params.wide) * ${LANES * columns}u + t % ${LANES}u;
${times(ROWS, (i) => `let row${i} = z * params.m * params.k + min(top + ${i}u, params.m - 1u)${transposeA ? "" : " * params.k"};`)}
${times(columns, (j) => `let column${j} = z * params.k * params.width + min(left + ${j * LANES}u, params.width - 1u);`)}
${times(ROWS * columns, (s) => `var sum${Math.floor(s / columns)}_${s % columns} = 0.0;`)}
var p = 0u;
for (; p + ${STEPS}u <= params.k; p += ${STEPS}u) {
${innerSteps(text, STEPS)}
}
for (; p < params.k; p++) {
${innerSteps(text, 1)}
}
${times(
  ROWS,
  (i) => `if (top + ${i}u < params.m) {
  let base = (z * params.m + top + ${i}u) * params.n;
  ${times(
    columns,
    (j) => `if (left + ${j * LANES}u < params.width) {
    let column = params.origin + left + ${j * LANES}u;
    y[base + column] = sum${i}_${j}${plus("base + column", "column")};
  }`,
  )}
}`,
)}
}`;
}

/** sum[i, j] += Σ over `steps` inner indices from p. The sums between steps are values, which need no memory; variables do. */
function innerSteps({ columns, transposeA, a, b }: Text, steps: number): string {
  const sum = (i: number, j: number, step: number): string => (step === 0 ? `sum${i}_${j}` : `s${step}_${i}_${j}`);
  const step = (u: number): string => `let at${u} = (p + ${u}u) * params.width;
${times(columns, (j) => `let b${u}_${j} = ${b(`column${j} + at${u}`)};`)}
${times(
  ROWS,
  (i) => `let a${u}_${i} = ${a(transposeA ? `row${i} + (p + ${u}u) * params.m` : `row${i} + p + ${u}u`)};
${times(columns, (j) => `let s${u + 1}_${i}_${j} = ${sum(i, j, u)} + a${u}_${i} * b${u}_${j};`)}`,
)}`;
  return `${times(steps, step)}
${times(ROWS * columns, (s) => `sum${Math.floor(s / columns)}_${s % columns} = ${sum(Math.floor(s / columns), s % columns, steps)};`)}`;
}
