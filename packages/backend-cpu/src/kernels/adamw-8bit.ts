// Launcher of the 8-bit AdamW: blocks of 256 are tasks; the two maps and their thresholds are put where the kernel finds them.
import { dynamicMap, type KernelTable, MOMENT_BLOCK, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { adamWScalars } from "./adamw.ts";

/** Signed map, its thresholds, unsigned map, its thresholds; 256 numbers each, the last threshold unused. */
function makeMaps(): Float32Array {
  const maps = new Float32Array(1024);
  for (const [i, kind] of (["signed", "unsigned"] as const).entries()) {
    const map = dynamicMap(kind);
    maps.set(map, 512 * i);
    for (let level = 0; level < 255; level++) maps[512 * i + 256 + level] = Math.fround(map[level]! + map[level + 1]!) / 2;
  }
  return maps;
}
const MAPS = /* @__PURE__ */ makeMaps();

/** Blocks of a task. */
const GRAIN = 4;

export const adamW8bitKernels = {
  adamW8bit: (rt, inputs, _, attrs) => {
    const pointers = inputs.map((view) => rt.pointer(view));
    const total = sizeOf(inputs[0]!.shape);
    new Float32Array(rt.memory.buffer, rt.tables, MAPS.length).set(MAPS);
    rt.run("adamW8bit", [...pointers, rt.tables, ...adamWScalars(attrs), total], Math.ceil(total / MOMENT_BLOCK), GRAIN);
  },
} satisfies Partial<KernelTable<Runtime>>;
