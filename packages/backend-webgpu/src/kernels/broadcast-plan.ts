// How a smaller tensor is read where it broadcasts: axes that run on alike are merged, and what is left becomes WGSL with the sizes as params.
import { type Shape, stridesOf } from "@qlora-js/core";

export interface BroadcastPlan {
  /** Sizes of the merged axes of the large shape, outermost first. */
  readonly sizes: readonly number[];
  /** For each small shape, the step of each merged axis in it: 0 where it is repeated. */
  readonly steps: readonly (readonly number[])[];
}

/** Merges neighbouring axes of `large` through which every small shape either runs on or is repeated. */
export function planBroadcast(large: Shape, smalls: readonly Shape[]): BroadcastPlan {
  const axisSteps = smalls.map((small) => {
    const lead = large.length - small.length;
    const strides = stridesOf(small);
    return large.map((_, d) => (d < lead || small[d - lead] === 1 ? 0 : strides[d - lead]!));
  });
  const sizes: number[] = [];
  const steps: number[][] = smalls.map(() => []);
  for (let d = 0; d < large.length; d++) {
    if (large[d] === 1) continue;
    const last = sizes.length - 1;
    const runsOn = last >= 0 && axisSteps.every((step, s) => steps[s]![last] === step[d]! * large[d]!);
    if (runsOn) {
      sizes[last]! *= large[d]!;
      for (const [s, step] of axisSteps.entries()) steps[s]![last] = step[d]!;
    } else {
      sizes.push(large[d]!);
      for (const [s, step] of axisSteps.entries()) steps[s]!.push(step[d]!);
    }
  }
  return { sizes, steps };
}

/** `fn NAME_index(i) -> u32` for each name, and the params it reads. `plan.steps` are in the order of the names; `size` is what the sizes are called. */
export function broadcastIndex(
  names: readonly string[],
  { sizes, steps }: BroadcastPlan,
  size = "size",
): { wgsl: string; params: Record<string, number> } {
  const params: Record<string, number> = {};
  for (const [d, n] of sizes.entries()) if (d > 0) params[`${size}${d}`] = n;
  const functions = names.map((name, s) => {
    const own = steps[s]!;
    const whole = sizes.length === 1 && own[0] === 1;
    if (whole) return `fn ${name}_index(i: u32) -> u32 { return i; }`;
    const lines: string[] = [];
    for (let d = sizes.length - 1; d >= 0; d--) {
      const at = d > 0 ? `rest % params.${size}${d}` : "rest";
      if (own[d] !== 0) {
        params[`${name}${d}`] = own[d]!;
        lines.push(`at += (${at}) * params.${name}${d};`);
      }
      if (d > 0) lines.push(`rest = rest / params.${size}${d};`);
    }
    return `fn ${name}_index(i: u32) -> u32 { var rest = i; var at = 0u; ${lines.join(" ")} return at; }`;
  });
  return { wgsl: functions.join("\n"), params };
}
