// Products through workgroup memory, for GPUs: the threads of a workgroup load a tile of A and one of B, eight elements a load, and multiply 4 rows × 4 columns
// each. Both tiles keep the direction in which their matrix is stored, so that loads lie together and are stored as whole vectors.
import type { Constant, Float, Gpu } from "../dispatch.ts";
import { windowsOf } from "../program-source.ts";
import type { Gemm } from "./gemm.ts";
import { addendOf } from "./gemm-addend.ts";
import { eightFloats } from "./gemm-right.ts";

const DEPTH = 16; // inner indices of a tile
const MANY_GROUPS = 64; // fewer leave a GPU idle: smaller tiles then

/** Where products lie, unless on end. */
export interface Layout {
  /** Elements from one row to the next, of A and of Y. */
  readonly aRow: number;
  readonly yRow: number;
  /** Elements from one product's matrix to the next, of A and of B. */
  readonly aStep: number;
  readonly bStep: number;
  /** Inner indices of all products together: the last product has what is left of them. */
  readonly inner?: number;
}

/** What becomes of each sum on its way out. */
export interface Finish {
  readonly constants: Readonly<Record<string, Constant>>;
  readonly params: Readonly<Record<string, number | Float>>;
  readonly wgsl: string;
  of(sum: string): string;
}

const AS_IT_IS: Finish = { constants: {}, params: {}, wgsl: "", of: (sum) => sum };

/** Y in tiles of 64 × 64 by 256 threads, or 32 × 32 by 64. */
export function gemmInTiles(gpu: Gpu, problem: Gemm, layout?: Layout, finish: Finish = AS_IT_IS): void {
  const { name, batch, m, k, n, a, b, y, transposeA, transposeB } = problem;
  const { reads, kind, plus } = addendOf(problem);
  const groups = (span: number): number => batch * Math.ceil(m / span) * Math.ceil(n / span);
  const side = groups(64) < MANY_GROUPS || gpu.facts.maxInvocations < 256 ? 8 : 16;
  const { aRow, yRow, aStep, bStep, inner } = layout ?? { aRow: transposeA ? m : k, yRow: n, aStep: m * k, bStep: k * n };
  const wholeA = [transposeA ? m : k, aRow, aStep, inner ?? 0].every((size) => size % 8 === 0);
  const wholeB = (transposeB ? k : n) % 8 === 0;
  const vectorA = wholeA && windowsOf(a, gpu.facts.maxBindingBytes) === 1;
  const half = gpu.facts.shaderF16 && b.reads.b?.dtype === "f16"; // exact: what it holds is f16
  const left: Side = { name: "a", letter: "m", side, inner: !transposeA, whole: wholeA, element: "f32" };
  const right: Side = { name: "b", letter: "n", side, inner: transposeB, whole: wholeB, element: half ? "f16" : "f32" };
  gpu.dispatch({
    name: `${name} in tiles`,
    constants: {
      transposeA,
      transposeB,
      wholeA,
      wholeB,
      half,
      addend: kind,
      SPLIT: inner !== undefined,
      ...finish.constants,
      ...b.constants,
    },
    ...(half ? { enable: "f16" } : {}),
    ...(vectorA ? { as: { a: "vec4<f32>" } } : {}),
    reads: { a, ...b.reads, ...reads },
    writes: { y },
    params: { m, k, n, a_row: aRow, y_row: yRow, a_step: aStep, b_step: bStep, inner: inner ?? k, ...finish.params },
    grid: { workgroups: groups(side * 4), size: side * side },
    wgsl: () => `${vectorA ? "fn a_eight(i: u32) -> array<vec4f, 2> { return array<vec4f, 2>(a[i >> 2u], a[(i >> 2u) + 1u]); }" : eightFloats("a")}
${b.wgsl(true)}
${loader(left)}
${loader(right)}
${finish.wgsl}
${tileProduct(left, right, (sum, at, column) => `${finish.of(sum)}${plus(at, column)}`)}`,
  });
}

/** How one operand lies in its matrix and in its tile. */
interface Side {
  readonly name: "a" | "b";
  /** The size of its outer axis among the params. */
  readonly letter: "m" | "n";
  /** Threads along it; a tile has four times as many rows (of A) or columns (of B). */
  readonly side: number;
  /** Neighbours in memory are neighbours along the inner axis. */
  readonly inner: boolean;
  /** Whole eights: 8 divides the axis of its neighbours. */
  readonly whole: boolean;
  readonly element: "f32" | "f16";
}

/** Vectors from one row of a tile to the next. One more than it has along the inner axis, so that threads read from different banks. */
const pitch = ({ inner, side }: Side): number => (inner ? DEPTH / 4 + 1 : side);

/** `tile_NAME`, and `load_NAME(e, …)`, which puts eight e of the tile that begins at (outer0, p0) of product z there; it has `depth` inner indices. */
function loader(s: Side): string {
  const { name, letter, side, inner, whole, element } = s;
  const rows = inner ? side * 4 : DEPTH;
  const along = inner ? DEPTH / 8 : side / 2; // eights in a row of the tile
  const limit = { outer: `params.${letter}`, inner: "depth" };
  const [row, column] = inner ? ["outer0", "p0"] : ["p0", "outer0"];
  const [rowLimit, columnLimit] = inner ? [limit.outer, limit.inner] : [limit.inner, limit.outer];
  const part = (j: number): string => `select(0.0, ${name}_at(base + ${j}u), column + ${j}u < ${columnLimit})`;
  const parts = (j: number): string => `vec4f(${[0, 1, 2, 3].map((q) => part(j + q)).join(", ")})`;
  return `var<workgroup> tile_${name}: array<vec4<${element}>, ${rows * pitch(s)}>;
fn load_${name}(e: u32, z: u32, outer0: u32, p0: u32, depth: u32) {
  let row = ${row} + e / ${along}u;
  let column = ${column} + e % ${along}u * 8u;
  let base = z * params.${name}_step + row * ${name === "a" ? "params.a_row" : inner ? "params.k" : "params.n"} + column;
  var values = array<vec4f, 2>();
  if (row < ${rowLimit} && column < ${columnLimit}) { values = ${whole ? `${name}_eight(base)` : `array<vec4f, 2>(${parts(0)}, ${parts(4)})`}; }
  let to = e / ${along}u * ${pitch(s)}u + e % ${along}u * 2u;
  tile_${name}[to] = vec4<${element}>(values[0]);
  tile_${name}[to + 1u] = vec4<${element}>(values[1]);
}`;
}

const AXES = ["x", "y", "z", "w"] as const;
const four = (line: (i: number) => string, between = "\n      "): string => [0, 1, 2, 3].map(line).join(between);

/** The four vectors of a tile for inner indices p4·4 … p4·4+3, of thread t along its side; element (outer i, inner q) of them; outer index i. */
function operand(
  s: Side,
  t: string,
): { vectors: string; at: (i: number, q: number) => string; column: (q: number) => string; outer: (i: number) => string } {
  const { name, inner, side } = s;
  const index = (i: number): string => (inner ? `(${t} + ${i * side}u) * ${pitch(s)}u + p4` : `(p4 * 4u + ${i}u) * ${pitch(s)}u + ${t}`);
  const at = (i: number, q: number): string => (inner ? `${name}${i}.${AXES[q]}` : `${name}${q}.${AXES[i]}`);
  return {
    vectors: four((i) => `let ${name}${i} = vec4f(tile_${name}[${index(i)}]);`),
    at,
    column: (q) => (inner ? `vec4f(${four((i) => at(i, q), ", ")})` : `${name}${q}`),
    outer: (i) => (inner ? `${t} + ${i * side}u` : `${t} * 4u + ${i}u`),
  };
}

function tileProduct(left: Side, right: Side, finished: (sum: string, at: string, column: string) => string): string {
  const { side } = left;
  const a = operand(left, "ty");
  const b = operand(right, "tx");
  const eights = side * 8; // of one tile
  return `fn block(group: u32, local: u32) {
  let tall = (params.m + ${side * 4 - 1}u) / ${side * 4}u;
  let wide = (params.n + ${side * 4 - 1}u) / ${side * 4}u;
  let z = group / (tall * wide);
  let row0 = group / wide % tall * ${side * 4}u;
  let column0 = group % wide * ${side * 4}u;
  let tx = local % ${side}u;
  let ty = local / ${side}u;
  ${four((i) => `var sum${i} = vec4f();`, " ")}
  var depth = params.k;
  if (SPLIT) { depth = min(depth, params.inner - z * params.k); }
  b_begin(local);
  for (var p0 = 0u; p0 < depth; p0 += ${DEPTH}u) {
    workgroupBarrier();
    for (var e = local; e < ${2 * eights}u; e += ${side * side}u) {
      if (e < ${eights}u) { load_a(e, z, row0, p0, depth); } else { load_b(e - ${eights}u, z, column0, p0, depth); }
    }
    workgroupBarrier();
    for (var p4 = 0u; p4 < ${DEPTH / 4}u; p4++) {
      ${a.vectors}
      ${b.vectors}
      ${four((q) => four((i) => `sum${i} += ${a.at(i, q)} * ${b.column(q)};`))}
    }
  }
  ${four((i) => `store(z, row0 + ${a.outer(i)}, column0, tx, sum${i});`, "\n  ")}
}
fn store(z: u32, row: u32, column0: u32, tx: u32, sum: vec4f) {
  if (row >= params.m) { return; }
  let base = (z * params.m + row) * params.y_row;
  ${four((j) => `{ let column = column0 + ${b.outer(j)}; if (column < params.n) { y[base + column] = ${finished(`sum.${AXES[j]}`, "base + column", "column")}; } }`, "\n  ")}
}`;
}
