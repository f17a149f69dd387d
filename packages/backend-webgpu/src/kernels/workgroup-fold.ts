// A value from each thread of a workgroup, folded to one that all get, always in the same order, so that it is the same bits every time: through workgroup
// memory as a tree, or, where the GPU has subgroups, first among those by exchange, and what they leave one after another.
import type { Dispatch, Gpu } from "../dispatch.ts";
import { MATH } from "./math.ts";

/** Threads of a workgroup that folds. */
export const WIDTH = 64;

/** What a program folds with; its dispatch takes `how` in. */
export interface Folds {
  readonly how: Pick<Dispatch, "enable">;
  /** Goes into the dispatch's constants. */
  readonly constants: { readonly subgroups: boolean };
  /** `fn total(local, value) -> f32`, to be called by all threads or none. */
  readonly total: string;
  /** `fn largest(local, value) -> f32`: NaN if there is one. `largest_of_two(a, b)` too. */
  readonly largest: string;
  /**
   * `fn near(value) -> f32`, the sum among neighbours that need no memory for it, and `lead(local)`: whether the thread speaks for them, as number
   * `seat(local)` of `seats()`. Without subgroups each speaks for itself.
   */
  readonly near: string;
}

/** Software exchanges through memory anyway. */
export const foldsOn = ({ facts }: Gpu): Folds => (facts.subgroups && !facts.software ? WITH_SUBGROUPS : IN_MEMORY);

const ADD = "a + b";
const MORE = "select(select(max(a, b), b, is_nan(b)), a, is_nan(a))";
const ofTwo = (name: string, combined: string): string => `fn ${name}_of_two(a: f32, b: f32) -> f32 { return ${combined}; }`;

const tree = (name: string, combined: string): string => `var<workgroup> ${name}_parts: array<f32, ${WIDTH}>;
${ofTwo(name, combined)}
fn ${name}(local: u32, value: f32) -> f32 {
  ${name}_parts[local] = value;
  for (var k = ${WIDTH / 2}u; k > 0u; k = k >> 1u) {
    workgroupBarrier();
    if (local < k) { ${name}_parts[local] = ${name}_of_two(${name}_parts[local], ${name}_parts[local + k]); }
  }
  workgroupBarrier();
  let all = ${name}_parts[0];
  workgroupBarrier();
  return all;
}`;

/** A butterfly: both sides of each exchange compute the same sum of two, so all threads end with the same bits. Whatever its size, all take every turn. */
const butterfly = (name: string, combined: string): string => `fn ${name}(own: f32) -> f32 {
  var value = own;
  var a = 0.0;
  var b = 0.0;
  ${[1, 2, 4, 8, 16, 32]
    .map((mask) => `a = value; b = subgroupShuffleXor(value, ${mask}u); value = select(value, ${combined}, ${mask}u < subgroup_width);`)
    .join("\n  ")}
  return value;
}`;

/** The threads of a workgroup of one axis stand in subgroups in their order. */
const SEATS = `fn lead(local: u32) -> bool { return local % subgroup_width == 0u; }
fn seat(local: u32) -> u32 { return local / subgroup_width; }
fn seats() -> u32 { return max(1u, ${WIDTH}u / subgroup_width); }`;

const bySubgroups = (name: string, combined: string): string => `var<workgroup> ${name}_parts: array<f32, ${WIDTH}>;
${ofTwo(name, combined)}
${butterfly(`${name}_near`, combined)}
fn ${name}(local: u32, value: f32) -> f32 {
  let own = ${name}_near(value);
  if (local % subgroup_width == 0u) { ${name}_parts[local / subgroup_width] = own; }
  workgroupBarrier();
  var all = ${name}_parts[0];
  for (var k = subgroup_width; k < ${WIDTH}u; k += subgroup_width) { all = ${name}_of_two(all, ${name}_parts[k / subgroup_width]); }
  workgroupBarrier();
  return all;
}`;

/** Through workgroup memory alone, for every GPU. */
export const IN_MEMORY: Folds = {
  how: {},
  constants: { subgroups: false },
  total: tree("total", ADD),
  largest: `${MATH.isNan}\n${tree("largest", MORE)}`,
  near: `fn near(value: f32) -> f32 { return value; }\nconst subgroup_width = 1u;\n${SEATS}`,
};
const WITH_SUBGROUPS: Folds = {
  how: { enable: "subgroups" },
  constants: { subgroups: true },
  total: bySubgroups("total", ADD),
  largest: `${MATH.isNan}\n${bySubgroups("largest", MORE)}`,
  near: `${butterfly("near", ADD)}\n${SEATS}`,
};
