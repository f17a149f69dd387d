// Whole numbers that are known when a program is compiled, in a buffer: indexed there, and not in the memory of each thread.
import type { View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";

/** The numbers as i32, for this kernel's run. */
export function table(gpu: Gpu, name: string, numbers: ArrayLike<number>): View {
  const view = gpu.temporary("i32", [numbers.length]);
  gpu.dispatch({
    name: `table of ${name}`,
    constants: { numbers: Array.from(numbers).join() },
    reads: {},
    writes: { numbers: view },
    grid: { threads: numbers.length },
    wgsl: () => `const all = array<i32, ${numbers.length}>(${Array.from(numbers).join()});
fn thread(i: u32) { numbers[i] = all[i]; }`,
  });
  return view;
}
