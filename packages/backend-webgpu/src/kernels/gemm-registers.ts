// Products without workgroup memory, for adapters that are software: there a barrier and a load cost many multiplications, so each thread holds
// 16 or 32 rows × 8 columns of Y, and what is not f32 by rows of the inner axis is unpacked first, a panel of columns at a time.
import { BYTES, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { windowsOf } from "../program-source.ts";
import type { Gemm } from "./gemm.ts";
import { addendOf } from "./gemm-addend.ts";

/** Multiplications of a product, from which on half the loads are worth a program that takes twice as long to compile. */
const MANY = 1 << 25;
/** Threads beside one another that have the same rows, and neighbouring columns: a quad, where there are subgroups. Also the inner steps between two visits to
 * the sums. */
const LANES = 4;
const THREADS = 64;
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
  const rows = batch * m * k * width >= MANY && (m % 32 === 0 || m % 32 > 16) ? 32 : 16;
  const columns = [2, 4].find((count) => count * LANES >= width) ?? 8;
  const quads = gpu.facts.subgroups;
  const rest = k % LANES !== 0;
  const single = (view: View): boolean => windowsOf(view, gpu.facts.maxBindingBytes) === 1;
  const read = (text: string, whole: boolean) => (at: string) => (whole ? `${text}[${at}]` : `${text}_word(${at})`);
  const tall = Math.ceil(m / rows);
  const wide = Math.ceil(width / (columns * LANES));
  gpu.dispatch({
    name: `${name} in registers`,
    constants: { transposeA, rows, columns, quads, rest, addend: kind },
    ...(quads ? { enable: "subgroups" } : {}),
    reads: { a, b, ...reads },
    writes: { y },
    params: { batch, m, k, n, origin: from, width, tall, wide },
    grid: { workgroups: Math.ceil((batch * tall * wide * LANES) / THREADS), size: THREADS },
    wgsl: () => registerTile({ rows, columns, transposeA, quads, rest, a: read("a", single(a)), b: read("b", single(b)), plus }),
  });
}

interface Text {
  readonly rows: number;
  readonly columns: number;
  readonly transposeA: boolean;
  readonly quads: boolean;
  /** Whether inner indices are left after the last four. */
  readonly rest: boolean;
  readonly a: (at: string) => string;
  readonly b: (at: string) => string;
  readonly plus: (at: string, column: string) => string;
}

const times = (n: number, line: (i: number) => string): string => Array.from({ length: n }, (_, i) => line(i)).join("\n");

/**
 * Rows and columns beyond the matrix, and tiles beyond the last, repeat the last, and are not stored: all threads go the same way.
 * The sums are an array only because a loop then stores them: a store for each took longer to compile than all the rest.
 */
function registerTile(text: Text): string {
  const { rows, columns, transposeA, quads, rest, plus } = text;
  return `fn block(group: u32, local: u32) {
let lane = local % ${LANES}u;
let tile = group * ${THREADS / LANES}u + local / ${LANES}u;
let z = min(tile / (params.wide * params.tall), params.batch - 1u);
let top = (tile / params.wide) % params.tall * rows;
let left = (tile % params.wide) * ${LANES * columns}u + lane;
${times(rows, (i) => `let row${i} = z * params.m * params.k + min(top + ${i}u, params.m - 1u)${transposeA ? "" : " * params.k"};`)}
${times(columns, (j) => `let column${j} = z * params.k * params.width + min(left + ${j * LANES}u, params.width - 1u);`)}
var sum: array<f32, ${rows * columns}>;
var p = 0u;
for (; p + ${LANES}u <= params.k; p += ${LANES}u) {
${quads ? fourSteps(text) : innerSteps(text, LANES, (u) => `p + ${u}u`)}
}
${rest ? `for (; p < params.k; p++) {\n${innerSteps(text, 1, () => "p")}\n}` : ""}
if (tile >= params.batch * params.tall * params.wide) { return; }
for (var i = 0u; i < min(rows, params.m - top); i++) {
  let base = (z * params.m + top + i) * params.n;
  for (var j = 0u; j < columns; j++) {
    let panel_column = left + j * ${LANES}u;
    if (panel_column < params.width) {
      let column = params.origin + panel_column;
      y[base + column] = sum[i * columns + j]${plus("base + column", "column")};
    }
  }
}
}`;
}

/** The other three of a quad, in the order of `lane ^ 1`, `lane ^ 2`, `lane ^ 3`. */
const SWAPS = ["quadSwapX", "quadSwapY", "quadSwapDiagonal"] as const;

/**
 * Four inner indices, one for each thread of a quad: each loads its own of A's rows and gets the others' from its neighbours, so that a load of A serves four
 * steps. Thread `lane` takes index p + (lane ^ u) in step u.
 */
function fourSteps(text: Text): string {
  const { rows, transposeA, a } = text;
  return `${times(rows, (i) => `let a0_${i} = ${a(transposeA ? `row${i} + (p + lane) * params.m` : `row${i} + p + lane`)};`)}
${innerSteps(
  text,
  LANES,
  (u) => `p + (lane ^ ${u}u)`,
  (u, i) => (u === 0 ? `a0_${i}` : `${SWAPS[u - 1]}(a0_${i})`),
)}`;
}

/** sum[i, j] += Σ over `steps` inner indices: a sum is read and written once for all of them. */
function innerSteps(
  { rows, columns, transposeA, a, b }: Text,
  steps: number,
  index: (u: number) => string,
  left = (u: number, i: number): string => a(transposeA ? `row${i} + k${u} * params.m` : `row${i} + k${u}`),
): string {
  const right = (u: number): string => `let k${u} = ${index(u)};
let at${u} = k${u} * params.width;
${times(columns, (j) => `let b${u}_${j} = ${b(`column${j} + at${u}`)};`)}`;
  const products = (i: number, j: number): string => Array.from({ length: steps }, (_, u) => ` + x${u}_${i} * b${u}_${j}`).join("");
  const row = (i: number): string => `${times(steps, (u) => `let x${u}_${i} = ${left(u, i)};`)}
${times(columns, (j) => `sum[${i * columns + j}] = sum[${i * columns + j}]${products(i, j)};`)}`;
  return `${times(steps, right)}\n${times(rows, row)}`;
}
