// How kernels read a 4-bit weight: w[i] = codeBook[code i] · absmax[⌊i / blockSize⌋] by flat position i, two codes a byte, the first in the high half.
// Double-quantized scales are put back into f32 by a pass of their own: there is one for every 32 to 4096 weights, and each is read many times.
import { type QFormat, sizeOf, type View } from "@qlora-js/core";
import type { Constant, Gpu } from "../dispatch.ts";

/** What a dispatch adds to its own to read weights. */
export interface WeightReader {
  readonly reads: { readonly codes: View; readonly absmax: View };
  readonly constants: Readonly<Record<string, Constant>>;
  /**
   * `weight_at(i)`: weight i as f32.
   * `weights_from(i)`: weights i … i+7 as array<vec4f, 2>, where 8 divides i; one word of codes and one scale are read for them.
   * The values of codes are chosen by their bits, or come from `bookTable` of this name.
   */
  wgsl(table?: string): string;
}

/** @param views of the quantized weight: codes, then absmax — or absmax codes, absmax of those, offset */
export function weightReader(gpu: Gpu, views: readonly View[], { codeBook, blockSize }: QFormat): WeightReader {
  const book = Array.from(codeBook, wgslNumber);
  return {
    reads: { codes: views[0]!, absmax: scalesOf(gpu, views) },
    constants: { block_shift: Math.log2(blockSize), book: book.join() },
    wgsl: (table) => `${table ? fromTable(table) : ["f32", "vec4f"].map((type) => chooser(type, book)).join("\n")}
fn weight_at(i: u32) -> f32 {
  let shift = ((i & 7u) ^ 1u) * 4u;
  return code_value_f32((codes_word(i >> 3u) >> shift) & 15u) * absmax_at(i >> block_shift);
}
fn weights_from(i: u32) -> array<vec4f, 2> {
  let word = codes_word(i >> 3u);
  let scale = absmax_at(i >> block_shift);
  let first = code_value_vec4f((vec4u(word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u));
  let second = code_value_vec4f((vec4u(word) >> vec4u(20u, 16u, 28u, 24u)) & vec4u(15u));
  return array<vec4f, 2>(first * scale, second * scale);
}`,
  };
}

/** A literal that reads back as this very f32. */
const wgslNumber = (value: number): string => `${value}f`;

/** `NAME`, the code book in workgroup memory, and `fill_NAME(local)`, after which a barrier must come. */
export function bookTable(name: string, { codeBook }: QFormat): string {
  return `var<workgroup> ${name}: array<f32, 16>;
${chooser("f32", Array.from(codeBook, wgslNumber), "book_value")}
fn fill_${name}(local: u32) { if (local < 16u) { ${name}[local] = book_value(local); } }`;
}

const fromTable = (table: string): string => `fn code_value_f32(code: u32) -> f32 { return ${table}[code]; }
fn code_value_vec4f(code: vec4u) -> vec4f { return vec4f(${["x", "y", "z", "w"].map((c) => `${table}[code.${c}]`).join(", ")}); }`;

/** The values of codes by their bits, from the lowest: a constant array would be copied into each thread's memory, and this is fifteen selections. */
function chooser(type: string, values: readonly string[], name = `code_value_${type}`): string {
  const codes = type === "f32" ? "u32" : "vec4u";
  const lines: string[] = [];
  let level = values.map((value) => `${type}(${value})`);
  for (let bit = 0; level.length > 1; bit++) {
    lines.push(`let bit${bit} = (code & ${codes}(${1 << bit}u)) != ${codes}(0u);`);
    const next = Array.from({ length: level.length / 2 }, (_, i) => `v${bit}_${i}`);
    for (const [i, chosen] of next.entries()) lines.push(`let ${chosen} = select(${level[2 * i]}, ${level[2 * i + 1]}, bit${bit});`);
    level = next;
  }
  return `fn ${name}(code: ${codes}) -> ${type} {\n${lines.join("\n")}\nreturn ${level[0]};\n}`;
}

/** The scales of a weight's blocks in f32. absmax[b] = map[code b] · absmax2[⌊b / 256⌋] + offset */
function scalesOf(gpu: Gpu, [, scales, absmax2, offset]: readonly View[]): View {
  if (!absmax2 || !offset) return scales!;
  const absmax = gpu.temporary("f32", scales!.shape);
  gpu.dispatch({
    name: "undoDoubleQuantize",
    reads: { scales: scales!, absmax2, offset },
    writes: { absmax },
    grid: { threads: sizeOf(scales!.shape) },
    wgsl: () => `${DYNAMIC_VALUE}
fn thread(b: u32) { absmax[b] = dynamic_value(scales_at(b)) * absmax2[b >> 8u] + offset[0]; }`,
  });
  return absmax;
}

/**
 * The signed dynamic map (core's dynamic-map.ts) as a formula, to the last bit or two: ±10^(i−6) · (0.1 + 0.9·(j + ½) / 2^i) for the distance 2^i + j from
 * code 127, which is 0; and 1 for the last code.
 */
const DYNAMIC_VALUE = `fn dynamic_value(code: u32) -> f32 {
  let distance = select(127u - code, code - 127u, code > 127u);
  let i = firstLeadingBit(max(distance, 1u));
  let part = (f32(distance - (1u << i)) + 0.5) / f32(1u << i);
  var decade = 1.0;
  for (var e = i; e < 6u; e++) { decade *= 0.1; }
  let value = select(decade * (0.1 + 0.9 * part), 0.0, distance == 0u);
  return select(select(value, -value, code < 127u), 1.0, code == 255u);
}`;
