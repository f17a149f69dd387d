// The two products of the head with its loss: logits of a chunk of the vocabulary, and what e^(z − m) of a chunk adds to the gradient. Each thread holds a
// tile of results in registers and reads four numbers at a time; neighbours in squares of 8 × 8 read the same rows.
import { BYTES, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";
import { partOf, type Stretch } from "../part.ts";
import { windowsOf } from "../program-source.ts";
import { MATH } from "./math.ts";

/** Columns of a tile, entries of the vocabulary or of the gradient, in fours. */
const QUADS = 2;
const COLUMNS = 4 * QUADS;
const SQUARE = 8;

/** Rows of a tile: no more than there are, few where each number is read by itself, and on the processor, where registers are memory anyway, many. */
const tileRows = (gpu: Gpu, rows: number, n: number): number => (rows <= 4 || n % 4 !== 0 ? 4 : rows <= 8 || !gpu.facts.software ? 8 : 16);

/** A chunk of the vocabulary: entries first … first + count − 1. */
export type Chunk = Stretch;

/** The head's operands: x [rows, n], weight [vocabulary, n], and e, room for a chunk's logits and exponentials, [rows, stride], 4 divides stride. */
export interface Head {
  readonly x: View;
  readonly weight: View;
  readonly e: View;
  /** What logits are capped at. */
  readonly softcap: number | null;
}

const times = (count: number, text: (i: number) => string, join = "\n"): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(join);

/**
 * A tile of sums, four columns a vector: variables, which a GPU keeps in registers, or, on the processor, an array, whose sums a loop stores: a store for each
 * took longer to compile than all the rest.
 */
interface Tile {
  readonly zeros: string;
  sum(row: number, quad: number): string;
  /** @param store what to do with the sum of row `r` (numbers or WGSL) and quad `q` */
  each(store: (r: string, q: string, sum: string) => string): string;
}

function tileOf(gpu: Gpu, high: number): Tile {
  if (gpu.facts.software)
    return {
      zeros: `var sums_of_tile: array<vec4f, ${high * QUADS}>;`,
      sum: (row, quad) => `sums_of_tile[${row * QUADS + quad}]`,
      each: (store) => `for (var r = 0u; r < ${high}u; r++) { for (var q = 0u; q < ${QUADS}u; q++) {
    ${store("r", "q", `sums_of_tile[r * ${QUADS}u + q]`)}
  } }`,
    };
  const sum = (row: number, quad: number): string => `sum${row}_${quad}`;
  return {
    zeros: times(high, (r) => times(QUADS, (q) => `var ${sum(r, q)} = vec4f();`, " ")),
    sum,
    each: (store) => times(high, (r) => times(QUADS, (q) => store(`${r}u`, `${q}u`, sum(r, q)))),
  };
}

/** How four neighbours of a row are read: at once where rows begin at a multiple of four, else one by one, 0 beyond the row. */
const four = (name: string): string =>
  `vec4f(${times(4, (j) => `select(0.0, ${name}_at(row * params.n + min(k + ${j}u, params.n - 1u)), k + ${j}u < params.n)`, ", ")})`;

/** The element type of the weight's binding, and `w_four(row, k)`: W[row, k … k + 3] in f32. Four that stand together lie in one window. */
function weightReader(gpu: Gpu, weight: View, n: number): { as: Record<string, string>; wgsl: string } {
  if (n % 4 !== 0) return { as: {}, wgsl: `fn w_four(row: u32, k: u32) -> vec4f { return ${four("w")}; }` };
  const bytes = 4 * BYTES[weight.dtype];
  const type = bytes === 16 ? "vec4<f32>" : "vec2<u32>";
  const windows = windowsOf(weight, gpu.facts.maxBindingBytes);
  const size = gpu.facts.maxBindingBytes / bytes;
  const read = (w: number): string => `raw = w_${w}[at - ${w * size}u];`;
  const found =
    windows === 1
      ? "raw = w[at];"
      : times(windows, (w) => (w < windows - 1 ? `if (at < ${(w + 1) * size}u) { ${read(w)} }` : `{ ${read(w)} }`), " else ");
  const widened = {
    f32: "raw",
    f16: "vec4f(unpack2x16float(raw.x), unpack2x16float(raw.y))",
    bf16: "bitcast<vec4f>(vec4u(raw.x << 16u, raw.x & 0xffff0000u, raw.y << 16u, raw.y & 0xffff0000u))",
  }[weight.dtype as "f32" | "f16" | "bf16"];
  return {
    as: { w: type },
    wgsl: `fn w_four(row: u32, k: u32) -> vec4f {
  let at = (row * params.n + k) / 4u;
  var raw: ${type};
  ${found}
  return ${widened};
}`,
  };
}

/** Where thread i's tile begins, in squares of SQUARE × SQUARE tiles, `params.across` squares a row. */
const PLACE = `fn place(i: u32) -> vec2u {
  let square = i / ${SQUARE * SQUARE}u;
  let row = square / params.across * ${SQUARE}u + i / ${SQUARE}u % ${SQUARE}u;
  let column = square % params.across * ${SQUARE}u + i % ${SQUARE}u;
  return vec2u(row * tile_rows, column * ${COLUMNS}u);
}`;

function tiles(high: number, rows: number, columns: number): { readonly across: number; readonly threads: number } {
  const across = Math.ceil(columns / COLUMNS / SQUARE);
  return { across, threads: Math.ceil(rows / high / SQUARE) * across * SQUARE * SQUARE };
}

/** `capped(s)`: softcap·tanh(s / softcap), of four logits. */
export const CAPPED = `${MATH.tanh}
fn capped(s: vec4f) -> vec4f {
  let x = s / params.softcap;
  return params.softcap * vec4f(tanh_(x.x), tanh_(x.y), tanh_(x.z), tanh_(x.w));
}`;

// e[r, v] = s = Σ_k x[r, k]·W[first + v, k], or softcap·tanh(s / softcap), for the chunk's v; columns from count to the next multiple of 4 hold anything
export function headLogits(gpu: Gpu, head: Head, chunk: Chunk): void {
  const { x, e, softcap } = head;
  const weight = partOf(head.weight, chunk);
  const [rows, n] = x.shape as [number, number];
  const high = tileRows(gpu, rows, n);
  const tile = tileOf(gpu, high);
  const { across, threads } = tiles(high, rows, chunk.count);
  const aligned = n % 4 === 0;
  const { as, wgsl } = weightReader(gpu, weight, n);
  gpu.dispatch({
    name: "linearCrossEntropy: logits",
    constants: { dtype: weight.dtype, aligned, tile_rows: high, is_capped: softcap !== null },
    reads: { x, w: weight },
    writes: { e },
    as: { ...as, e: "vec4<f32>", ...(aligned ? { x: "vec4<f32>" } : {}) },
    params: { rows, n, entries: chunk.count, stride: e.shape[1]!, across, softcap: float(softcap ?? 1) },
    grid: { threads },
    wgsl: () => `${wgsl}${softcap === null ? "" : CAPPED}
fn x_four(row: u32, k: u32) -> vec4f { return ${aligned ? "x[(row * params.n + k) / 4u]" : four("x")}; }
${PLACE}
fn thread(i: u32) {
  let at = place(i);
  if (at.x >= params.rows || at.y >= params.entries) { return; }
  ${times(high, (r) => `let r${r} = min(at.x + ${r}u, params.rows - 1u);`)}
  ${times(COLUMNS, (c) => `let v${c} = min(at.y + ${c}u, params.entries - 1u);`)}
  ${tile.zeros}
  for (var k = 0u; k < params.n; k += 4u) {
    ${times(COLUMNS, (c) => `let w${c} = w_four(v${c}, k);`)}
    ${times(high, (r) => `let x${r} = x_four(r${r}, k);\n${times(QUADS, (q) => `${tile.sum(r, q)} += vec4f(${times(4, (c) => `dot(x${r}, w${4 * q + c})`, ", ")});`)}`)}
  }
  ${tile.each(
    (r, q, sum) => `if (at.x + ${r} < params.rows && at.y + 4u * ${q} < params.stride) {
    e[((at.x + ${r}) * params.stride + at.y) / 4u + ${q}] = ${softcap === null ? sum : `capped(${sum})`};
  }`,
  )}
}`,
  });
}

// sums[part][r, d] = Σ_v e[r, v]·W[first + v, d], v over the part's span of the chunk
export function headGradients(gpu: Gpu, head: Head, chunk: Chunk, span: number, sums: View): void {
  const { x, e } = head;
  const weight = partOf(head.weight, chunk);
  const [rows, n] = x.shape as [number, number];
  const high = tileRows(gpu, rows, n);
  const tile = tileOf(gpu, high);
  const { across, threads } = tiles(high, rows, n);
  const aligned = n % 4 === 0;
  const { as, wgsl } = weightReader(gpu, weight, n);
  const store = (sum: string): string =>
    aligned
      ? `if (column < params.n) { sums[to / 4u] = ${sum}; }`
      : times(4, (c) => `if (column + ${c}u < params.n) { sums[to + ${c}u] = ${sum}[${c}]; }`, " ");
  gpu.dispatch({
    name: "linearCrossEntropy: gradients",
    constants: { dtype: weight.dtype, aligned, tile_rows: high },
    reads: { e, w: weight },
    writes: { sums },
    as: { ...as, e: "vec4<f32>", ...(aligned ? { sums: "vec4<f32>" } : {}) },
    params: { rows, n, entries: chunk.count, stride: e.shape[1]!, across, span, tiles: threads },
    grid: { threads: threads * Math.ceil(chunk.count / span) },
    wgsl: () => `${wgsl}
${PLACE}
fn thread(i: u32) {
  let part = i / params.tiles;
  let at = place(i % params.tiles);
  if (at.x >= params.rows || at.y >= params.n) { return; }
  ${times(high, (r) => `let r${r} = min(at.x + ${r}u, params.rows - 1u) * params.stride;`)}
  ${tile.zeros}
  let end = min((part + 1u) * params.span, params.entries);
  for (var v = part * params.span; v < end; v += 4u) {
    ${times(4, (c) => `let v${c} = min(v + ${c}u, params.entries - 1u);\n${times(QUADS, (q) => `let w${c}_${q} = w_four(v${c}, at.y + ${4 * q}u);`)}`)}
    ${times(high, (r) => `let e${r} = e[(r${r} + v) / 4u];\n${times(QUADS, (q) => `${tile.sum(r, q)} += ${times(4, (c) => `e${r}[${c}] * w${c}_${q}`, " + ")};`)}`)}
  }
  ${tile.each(
    (r, q, sum) => `if (at.x + ${r} < params.rows) {
    let column = at.y + 4u * ${q};
    let to = (part * params.rows + at.x + ${r}) * params.n + column;
    ${store(sum)}
  }`,
  )}
}`,
  });
}
