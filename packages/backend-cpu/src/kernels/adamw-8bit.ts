// Launcher of the 8-bit AdamW: blocks of 256 are tasks; the two maps, their thresholds and where to begin among these are put where the kernel finds them.
import { dynamicMap, type KernelTable, MOMENT_BLOCK, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { adamWScalars } from "./adamw.ts";

/** Blocks of a task. */
const GRAIN = 4;

/**
 * A cell is the numbers with the same sign, exponent and first five binary digits, from 2⁻²⁴ to 1; all below 2⁻²⁴ are in the first. No cell has more than
 * three thresholds in it, so the kernel looks at three. The kernel has the same numbers.
 */
const CELLS = 24 * 32 + 1;
const FIRST_CELL = 103 << 5;
const CELL_SHIFT = 18;

/** The smallest magnitude of a cell. */
function magnitude(cell: number): number {
  const word = new DataView(new ArrayBuffer(4));
  word.setUint32(0, cell === 0 ? 0 : (FIRST_CELL + cell) << CELL_SHIFT);
  return word.getFloat32(0);
}

/** f32: signed map, its thresholds, unsigned map, its thresholds, 256 of each with ∞ for the last threshold; then u8: the thresholds below each cell. */
function makeTables(): Uint8Array {
  const maps = new Float32Array(1024);
  const cells = new Uint8Array(4 * CELLS);
  for (const [i, kind] of (["signed", "unsigned"] as const).entries()) {
    const map = dynamicMap(kind);
    const bounds = map.map((value, level) => (level < 255 ? Math.fround(value + map[level + 1]!) / 2 : Number.POSITIVE_INFINITY));
    maps.set(map, 512 * i);
    maps.set(bounds, 512 * i + 256);
    const below = (x: number): number => bounds.findIndex((bound) => bound >= x);
    for (let cell = 0; cell < CELLS; cell++) {
      cells[2 * CELLS * i + cell] = below(magnitude(cell));
      cells[2 * CELLS * i + CELLS + cell] = below(-magnitude(cell + 1));
    }
  }
  const tables = new Uint8Array(maps.byteLength + cells.length);
  tables.set(new Uint8Array(maps.buffer));
  tables.set(cells, maps.byteLength);
  return tables;
}
const TABLES = /* @__PURE__ */ makeTables();

export const adamW8bitKernels = {
  adamW8bit: (rt, inputs, _, attrs) => {
    const pointers = inputs.map((view) => rt.pointer(view));
    const total = sizeOf(inputs[0]!.shape);
    rt.withRoom(TABLES.length, (tables) => {
      new Uint8Array(rt.memory.buffer, tables, TABLES.length).set(TABLES);
      rt.run("adamW8bit", [...pointers, tables, ...adamWScalars(attrs), total], Math.ceil(total / MOMENT_BLOCK), GRAIN);
    });
  },
} satisfies Partial<KernelTable<Runtime>>;
