// What every quantizer by blocks shares, bit for bit core's quant/nearest-levels.ts: the scale of a block, and the level of a number in it.
import { sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { bitsOf, EXACT, orderOf } from "./exact.ts";

/** Keeps 1 / absmax finite. Source: bitsandbytes backends/default/ops.py. */
const TINY = bitsOf(1e-38);

/** Numbers 0 … n − 1 that are quantized: `fn value(i: u32) -> u32`, their bits. */
export interface Values {
  readonly name: string;
  readonly reads: Readonly<Record<string, View>>;
  readonly wgsl: string;
  readonly n: number;
  readonly blockSize: number;
}

// absmax = max |v| of a block, in a short last one max(that, tiny)     returned: 1 / max(absmax, tiny), of a short one max(absmax, tiny) itself
export function scaleBlocks(gpu: Gpu, { name, reads, wgsl, n, blockSize }: Values, absmax: View): View {
  const divisors = gpu.temporary("f32", absmax.shape);
  gpu.dispatch({
    name: `scales of ${name}`,
    reads,
    writes: { absmax, divisors },
    as: { absmax: "u32", divisors: "u32" },
    params: { n, size: blockSize },
    grid: { threads: sizeOf(absmax.shape) },
    wgsl: () => `${EXACT}
${wgsl}
fn thread(number: u32) {
  let start = number * params.size;
  let end = min(start + params.size, params.n);
  var largest = 0u;
  for (var i = start; i < end; i++) { largest = max(largest, magnitude(value(i))); } // no bits are larger than NaN's
  if (largest > INFINITY) { largest = NAN; }
  let divisor = max(largest, ${TINY});
  if (end - start == params.size) {
    absmax[number] = largest;
    divisors[number] = quotient(${bitsOf(1)}, divisor);
  } else {
    absmax[number] = divisor;
    divisors[number] = divisor;
  }
}`,
  });
  return divisors;
}

/**
 * `block_of(i)`: what the numbers of number i's block are scaled by. `level(v, block)`: how many of the `bounds` bounds lie below v·(1 / absmax), in a short
 * block v / absmax; NaN lies above all. With EXACT, a binding `divisors`, params n and size, and `fn bounds_below(v: i32) -> u32` of a number in its order.
 */
export const levelWgsl = (bounds: number): string => `
struct Block { divisor: u32, full: bool }
fn block_of(i: u32) -> Block {
  let number = i / params.size;
  return Block(bitcast<u32>(divisors_at(number)), (number + 1u) * params.size <= params.n);
}
fn level(v: u32, block: Block) -> u32 {
  var scaled = 0u;
  if (block.full) { scaled = product(v, block.divisor); } else { scaled = quotient(v, block.divisor); }
  if (magnitude(scaled) > INFINITY) { return ${bounds}u; }
  return bounds_below(clamp(ordered(scaled), ${orderOf(-1)}, ${orderOf(1)}));
}`;
