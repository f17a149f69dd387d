// The whole text of a program: params, constants and bindings as a dispatch names them, an accessor for each binding that is read, the kernel's own
// functions, and the entry point that numbers the threads.
import type { DType, View } from "@qlora-js/core";
import { type Dispatch, Float } from "./dispatch.ts";

const ELEMENT: Record<DType, "f32" | "i32" | "u32"> = { f32: "f32", i32: "i32", f16: "u32", bf16: "u32", u8: "u32" };
const THREADS = 64; // a workgroup of a grid of threads

/** How an element of a dtype is read out of `word(index)`. */
const ACCESS: Record<DType, { readonly type: string; readonly value: (word: (index: string) => string) => string }> = {
  f32: { type: "f32", value: (word) => word("i") },
  i32: { type: "i32", value: (word) => word("i") },
  f16: {
    type: "f32",
    value: (word) => `select(unpack2x16float(${word("i >> 1u")}).x, unpack2x16float(${word("i >> 1u")}).y, (i & 1u) == 1u)`,
  },
  bf16: {
    type: "f32",
    value: (word) => `bitcast<f32>(select(${word("i >> 1u")} << 16u, ${word("i >> 1u")} & 0xffff0000u, (i & 1u) == 1u))`,
  },
  u8: { type: "u32", value: (word) => `(${word("i >> 2u")} >> ((i & 3u) * 8u)) & 255u` },
};

/** How many bindings a view takes: a tensor larger than one may show is seen through several of the same size. */
export const windowsOf = (view: View, maxBindingBytes: number): number => Math.max(1, Math.ceil(view.buffer.byteLength / maxBindingBytes));

/** What decides a program's text. Equal keys, equal text. */
export function programKey({ name, constants = {}, reads, writes, as = {}, params = {}, grid }: Dispatch, maxBindingBytes: number): string {
  let key = name;
  for (const [k, v] of Object.entries(constants)) key += `|${k}=${v}`;
  for (const [k, v] of Object.entries(reads)) key += `|${k}:${as[k] ?? v.dtype}${windowsOf(v, maxBindingBytes)}`;
  for (const [k, v] of Object.entries(writes)) key += `|${k}:${as[k] ?? v.dtype}!`;
  for (const [k, v] of Object.entries(params)) key += v instanceof Float ? `|${k}f` : `|${k}`;
  return key + ("threads" in grid ? "" : `|${grid.size}`);
}

/** The WGSL of a dispatch. Its bindings: 0 the params, then each read (in as many windows as it takes), then each write. */
export function programSource(dispatch: Dispatch, maxBindingBytes: number): string {
  const { constants = {}, reads, writes, as = {}, params = {} } = dispatch;
  const lines: string[] = [];
  if (dispatch.enable) lines.push(`enable ${dispatch.enable};`);
  const numbers = Object.entries(params).map(([name, value]) => `${name}: ${value instanceof Float ? "f32" : "u32"}`);
  lines.push(`struct Params { ${[...numbers, "count: u32"].join(", ")} }`, "@group(0) @binding(0) var<uniform> params: Params;");
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === "number") lines.push(`const ${name} = ${value}u;`);
    if (typeof value === "boolean") lines.push(`const ${name} = ${value};`);
  }
  let binding = 1;
  for (const [name, view] of Object.entries(reads)) {
    const type = as[name] ?? ELEMENT[view.dtype];
    const windows = windowsOf(view, maxBindingBytes);
    for (let w = 0; w < windows; w++)
      lines.push(`@group(0) @binding(${binding++}) var<storage, read> ${windows === 1 ? name : `${name}_${w}`}: array<${type}>;`);
    lines.push(...accessor(name, view.dtype, type, windows, maxBindingBytes));
  }
  for (const [name, view] of Object.entries(writes))
    lines.push(`@group(0) @binding(${binding++}) var<storage, read_write> ${name}: array<${as[name] ?? ELEMENT[view.dtype]}>;`);
  if (dispatch.enable === "subgroups") lines.push("var<private> subgroup_width: u32;");
  lines.push(dispatch.wgsl().trim(), entry(dispatch));
  return lines.join("\n");
}

/** `NAME_at(i)`: element i as f32, i32 or (u8) u32; `NAME_word(i)`: the 32 bits that hold it, through whichever window shows them. */
function accessor(name: string, dtype: DType, type: string, windows: number, maxBindingBytes: number): string[] {
  if (type !== ELEMENT[dtype]) return []; // seen as vectors: the kernel indexes it itself
  const words = maxBindingBytes / 4;
  const branches = Array.from({ length: windows }, (_, w) => `if (i < ${(w + 1) * words}u) { return ${name}_${w}[i - ${w * words}u]; }`);
  const word =
    windows === 1
      ? `return ${name}[i];`
      : `${branches.slice(0, -1).join(" ")} return ${name}_${windows - 1}[i - ${(windows - 1) * words}u];`;
  const { type: result, value } = ACCESS[dtype];
  return [
    `fn ${name}_word(i: u32) -> ${type} { ${word} }`,
    `fn ${name}_at(i: u32) -> ${result} { return ${value((at) => `${name}_word(${at})`)}; }`,
  ];
}

/** Workgroups are numbered along two axes, because one axis is limited; those beyond `params.count` do nothing. */
const entry = ({ grid, enable }: Dispatch): string =>
  "threads" in grid
    ? `@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${THREADS}u;
  if (i < params.count) { thread(i); }
}`
    : `@compute @workgroup_size(${grid.size}) fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u${enable === "subgroups" ? ", @builtin(subgroup_size) width: u32" : ""}) {
  ${enable === "subgroups" ? "subgroup_width = width;" : ""}
  let group = id.x + id.y * groups.x;
  if (group < params.count) { block(group, local); }
}`;

/** How many run, and as how many workgroups. */
export function sizeOfGrid(grid: Dispatch["grid"]): { readonly count: number; readonly workgroups: number } {
  if ("threads" in grid) return { count: grid.threads, workgroups: Math.ceil(grid.threads / THREADS) };
  return { count: grid.workgroups, workgroups: grid.workgroups };
}
