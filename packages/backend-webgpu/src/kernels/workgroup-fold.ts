// A value from each thread of a workgroup, folded to one that all get: in the order of a tree, so that it is the same bits every time.
import { MATH } from "./math.ts";

/** Threads of a workgroup that folds. */
export const WIDTH = 64;

/** `fn NAME(local, value) -> f32`, to be called by all threads or none. `combined` is of a and b. */
const workgroupFold = (name: string, combined: string): string => `var<workgroup> ${name}_parts: array<f32, ${WIDTH}>;
fn ${name}_of_two(a: f32, b: f32) -> f32 { return ${combined}; }
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

/** `fn total(local, value) -> f32` */
export const TOTAL = workgroupFold("total", "a + b");
/** `fn largest(local, value) -> f32`: NaN if there is one. `largest_of_two(a, b)` too. */
export const LARGEST = `${MATH.isNan}
${workgroupFold("largest", "select(select(max(a, b), b, is_nan(b)), a, is_nan(a))")}`;
