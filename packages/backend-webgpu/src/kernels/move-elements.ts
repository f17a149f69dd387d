// Elements of any dtype on their way from one tensor to another, as bits: a NaN keeps its payload, and no number is touched. Storage is written in words of 32
// bits, so a thread puts together the one, two or four elements of a word.
import { BYTES, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";

/** How many elements share a word. */
export const lanesOf = ({ dtype }: View): number => 4 / BYTES[dtype];

/** A view of 4-byte elements as whole numbers: GPUs may change the bits of floats that pass through, and leave those of integers alone. */
export const asBits = (view: View): View => (view.dtype === "f32" ? { ...view, dtype: "i32" } : view);

export interface Move {
  /** WGSL of `fn source(k: u32) -> u32`: which element of x becomes element k of y, or NOWHERE. */
  readonly source: string;
  /** What the source reads besides k. */
  readonly params: Readonly<Record<string, number>>;
  /** What decides the source's text. */
  readonly constants?: Readonly<Record<string, number>>;
  /** What becomes of the elements that come from nowhere: 0, or what they were. */
  readonly elsewhere?: "zero" | "kept";
}

/** y[k] = x[source(k)] */
export function moveElements(gpu: Gpu, name: string, x: View, y: View, { source, params, constants = {}, elsewhere = "zero" }: Move): void {
  const lanes = lanesOf(y);
  const elements = sizeOf(y.shape);
  gpu.dispatch({
    name,
    constants: { ...constants, LANES: lanes, KEPT: elsewhere === "kept" },
    reads: { x: asBits(x) },
    writes: { y },
    as: { y: "u32" },
    params: { ...params, elements },
    grid: { threads: Math.ceil(elements / lanes) },
    wgsl: () => `const NOWHERE = 0xffffffffu;
const WIDTH = 32u / LANES;
const MASK = 0xffffffffu >> (32u - WIDTH);
${source}
fn thread(w: u32) {
  var word = 0u;
  if (KEPT) { word = y[w]; }
  for (var lane = 0u; lane < LANES; lane++) {
    let k = w * LANES + lane;
    if (k >= params.elements) { break; }
    let at = source(k);
    if (at == NOWHERE) { continue; }
    let bits = (bitcast<u32>(x_word(at / LANES)) >> (at % LANES * WIDTH)) & MASK;
    word = (word & ~(MASK << (lane * WIDTH))) | (bits << (lane * WIDTH));
  }
  y[w] = word;
}`,
  });
}
