// A value from each thread of a workgroup, folded to one that all get, always in the same order, so that it is the same bits every time: through workgroup
// memory as a tree, or, where the GPU has subgroups, first among those by exchange, and what they leave one after another.
import type { Dispatch, Gpu } from "../dispatch.ts";
import { MATH } from "./math.ts";

/** Threads of a workgroup that folds. */
export const WIDTH = 64;
/** The same where they are software: each turn of a tree costs it more than the additions it saves. */
const FEW = 8;

/** What a program folds with; its dispatch takes `how` in. */
export interface Folds {
  readonly how: Pick<Dispatch, "enable">;
  /** Threads of the workgroup. */
  readonly width: number;
  /** Goes into the dispatch's constants. */
  readonly constants: { readonly subgroups: boolean; readonly fold_width: number };
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

/** For rows of a few thousand elements at most, whose sums may be as long as that: by few threads in software. */
export const foldsOfRows = (gpu: Gpu): Folds => (gpu.facts.software ? IN_MEMORY_BY_FEW : foldsOn(gpu));

const ADD = "a + b";
const MORE = "select(select(max(a, b), b, is_nan(b)), a, is_nan(a))";
const ofTwo = (name: string, combined: string): string => `fn ${name}_of_two(a: f32, b: f32) -> f32 { return ${combined}; }`;

const tree = (name: string, combined: string, width: number): string => `var<workgroup> ${name}_parts: array<f32, ${width}>;
${ofTwo(name, combined)}
fn ${name}(local: u32, value: f32) -> f32 {
  ${name}_parts[local] = value;
  for (var k = ${width / 2}u; k > 0u; k = k >> 1u) {
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
const seats = (width: number): string => `fn lead(local: u32) -> bool { return local % subgroup_width == 0u; }
fn seat(local: u32) -> u32 { return local / subgroup_width; }
fn seats() -> u32 { return max(1u, ${width}u / subgroup_width); }`;

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

const inMemory = (width: number): Folds => ({
  how: {},
  width,
  constants: { subgroups: false, fold_width: width },
  total: tree("total", ADD, width),
  largest: `${MATH.isNan}\n${tree("largest", MORE, width)}`,
  near: `fn near(value: f32) -> f32 { return value; }\nconst subgroup_width = 1u;\n${seats(width)}`,
});

/** Through workgroup memory alone, for every GPU. */
export const IN_MEMORY: Folds = inMemory(WIDTH);
const IN_MEMORY_BY_FEW: Folds = inMemory(FEW);
const WITH_SUBGROUPS: Folds = {
  how: { enable: "subgroups" },
  width: WIDTH,
  constants: { subgroups: true, fold_width: WIDTH },
  total: bySubgroups("total", ADD),
  largest: `${MATH.isNan}\n${bySubgroups("largest", MORE)}`,
  near: `${butterfly("near", ADD)}\n${seats(WIDTH)}`,
};
