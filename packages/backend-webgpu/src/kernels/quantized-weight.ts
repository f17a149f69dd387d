// How kernels read a 4-bit weight: w[i] = codeBook[code i] · absmax[⌊i / blockSize⌋] by flat position i, two codes a byte, the first in the high half.
// Double-quantized scales are put back into f32 by a pass of their own: there is one for every 32 to 4096 weights, and each is read many times.
import { dynamicMap, type QFormat, sizeOf, type View } from "@qlora-js/core";
import type { Constant, Gpu } from "../dispatch.ts";

/** What a dispatch adds to its own to read weights. */
export interface WeightReader {
  readonly reads: { readonly codes: View; readonly absmax: View };
  readonly constants: Readonly<Record<string, Constant>>;
  /**
   * `weight_at(i)`: weight i.  `weight_scale(i)`: the scale of its block.  `code_value(code)`: of the book.
   * `codes_from(i)`: the word with codes i … i+7, where 8 divides i; code i + j stands at bit `code_shift(j)`.
   */
  readonly wgsl: string;
}

/** @param views of the quantized weight: codes, then absmax — or absmax codes, absmax of those, offset */
export function weightReader(gpu: Gpu, views: readonly View[], { codeBook, blockSize }: QFormat): WeightReader {
  const codes = views[0]!;
  const book = Array.from(codeBook, wgslNumber);
  return {
    reads: { codes, absmax: scalesOf(gpu, views) },
    constants: { block_shift: Math.log2(blockSize), book: book.join() },
    wgsl: `${chooser(book)}
fn weight_scale(i: u32) -> f32 { return absmax_at(i >> block_shift); }
fn weight_at(i: u32) -> f32 { return code_value((codes_word(i >> 3u) >> code_shift(i & 7u)) & 15u) * weight_scale(i); }
fn codes_from(i: u32) -> u32 { return codes_word(i >> 3u); }
fn code_shift(j: u32) -> u32 { return (j ^ 1u) * 4u; }`,
  };
}

/** A literal that reads back as this very f32. */
const wgslNumber = (value: number): string => `${value}f`;

/** The value of a code by its bits, from the lowest: a table would be memory of each thread, and this is fifteen selections. */
function chooser(values: readonly string[]): string {
  let level = values;
  const lines: string[] = [];
  for (let bit = 0; level.length > 1; bit++) {
    const next = Array.from({ length: level.length / 2 }, (_, i) => `v${bit}_${i}`);
    lines.push(`let b${bit} = (code & ${1 << bit}u) != 0u;`);
    for (const [i, name] of next.entries()) lines.push(`let ${name} = select(${level[2 * i]}, ${level[2 * i + 1]}, b${bit});`);
    level = next;
  }
  return `fn code_value(code: u32) -> f32 {\n${lines.join("\n")}\nreturn ${level[0]};\n}`;
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
    wgsl: () => `const map = array<f32, 256>(${Array.from(dynamicMap("signed"), wgslNumber).join()});
fn thread(b: u32) { absmax[b] = map[scales_at(b)] * absmax2[b >> 8u] + offset[0]; }`,
  });
  return absmax;
}
