// Axes in another order where neighbours of x are no neighbours of y: through workgroup memory in squares, so that on a GPU both loads and stores lie together.
// Elements of four bytes.
import type { View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { asBits } from "./move-elements.ts";

const SIDE = 32;
/** Rows of a square that the threads of a workgroup take at once. */
const HIGH = 8;

/** An axis of the output: its size, and the steps in x and in y from one of its elements to the next. */
export interface PlacedAxis {
  readonly size: number;
  readonly step: number;
  readonly place: number;
}

/**
 * y[Σ i_d · place_d] = x[Σ i_d · step_d]
 * @param near neighbours in x: step 1
 * @param far neighbours in y: place 1
 * @param others outermost first
 */
export function permuteInTiles(gpu: Gpu, x: View, y: View, near: PlacedAxis, far: PlacedAxis, others: readonly PlacedAxis[]): void {
  const [across, down] = [Math.ceil(near.size / SIDE), Math.ceil(far.size / SIDE)];
  const params: Record<string, number> = {};
  const lines: string[] = [];
  for (const [d, { size, step, place }] of [...others.entries()].reverse()) {
    Object.assign(params, { [`size${d}`]: size, [`step${d}`]: step, [`place${d}`]: place });
    lines.push(
      `at_x += rest % params.size${d} * params.step${d}; at_y += rest % params.size${d} * params.place${d}; rest /= params.size${d};`,
    );
  }
  gpu.dispatch({
    name: "permute in tiles",
    constants: { RANK: others.length },
    reads: { x: asBits(x) },
    writes: { y },
    as: { y: "u32" },
    params: { ...params, near: near.size, far: far.size, step: far.step, place: near.place, across, down },
    grid: { workgroups: others.reduce((n, { size }) => n * size, across * down), size: SIDE * HIGH },
    // a row more than a square has, so that threads read from different banks
    wgsl: () => `var<workgroup> tile: array<u32, ${SIDE * (SIDE + 1)}>;
fn block(group: u32, local: u32) {
  let tx = local % ${SIDE}u;
  let ty = local / ${SIDE}u;
  let near0 = group % params.across * ${SIDE}u;
  let far0 = group / params.across % params.down * ${SIDE}u;
  var rest = group / params.across / params.down;
  var at_x = 0u;
  var at_y = 0u;
  ${lines.join("\n  ")}
  for (var j = ty; j < ${SIDE}u; j += ${HIGH}u) {
    let i = vec2u(near0 + tx, far0 + j);
    if (i.x < params.near && i.y < params.far) { tile[j * ${SIDE + 1}u + tx] = bitcast<u32>(x_word(at_x + i.x + i.y * params.step)); }
  }
  workgroupBarrier();
  for (var j = ty; j < ${SIDE}u; j += ${HIGH}u) {
    let i = vec2u(near0 + j, far0 + tx);
    if (i.x < params.near && i.y < params.far) { y[at_y + i.x * params.place + i.y] = tile[tx * ${SIDE + 1}u + j]; }
  }
}`,
  });
}
