// How a 4-bit weight is read to the last bit: the value of its code times the scale of its block, each step rounded, none fused (exact.ts).
import { dynamicMap, type QFormat, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { EXACT } from "./exact.ts";
import { table } from "./table.ts";

/** What a dispatch adds to its own to read weights. */
export interface ExactWeight {
  readonly reads: Readonly<Record<string, View>>;
  /** `scale(block)`, `weight(code, scale)`: bits. `code_at(i)`: the code of weight i. */
  readonly wgsl: string;
}

/** @param views of the quantized weight: codes, then absmax — or absmax codes, absmax of those, offset */
export function exactWeight(gpu: Gpu, views: readonly View[], { name, codeBook }: QFormat): ExactWeight {
  const [codes, scales, absmax2, offset] = views as [View, View, View?, View?];
  // sixteen values of codes, then 256 of the scales' map
  const numbers = table(gpu, `${name} and its scales`, new Int32Array(Float32Array.of(...codeBook, ...dynamicMap("signed")).buffer));
  const double = absmax2 && offset;
  // absmax = map[code]·absmax2 + offset
  const scale = double
    ? "total(product(u32(numbers[16u + scales_at(number)]), bitcast<u32>(absmax2_at(number >> 8u))), bitcast<u32>(offset[0]))"
    : "bitcast<u32>(scales_at(number))";
  return {
    reads: { codes, scales, numbers, ...(double ? { absmax2, offset } : {}) },
    wgsl: `${EXACT}
fn scale(number: u32) -> u32 { return ${scale}; }
fn weight(code: u32, scale: u32) -> u32 { return product(u32(numbers[code]), scale); }
fn code_at(i: u32) -> u32 { return (codes_word(i >> 3u) >> (((i & 7u) ^ 1u) * 4u)) & 15u; }`,
  };
}
