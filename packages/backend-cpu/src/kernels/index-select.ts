// Launchers of picking rows (tasks are ids) and adding into them (tasks are strips of columns, so that each row is added to in order).
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";
import { DTYPE_CODE, type FloatDType } from "./dtype-code.ts";

/** Columns of a task of indexAdd. */
const STRIP = 64;

export const indexSelectKernels = {
  indexSelect: (rt, [x, ids], [y]) => {
    const width = sizeOf(x!.shape.slice(1));
    const code = DTYPE_CODE[x!.dtype as FloatDType];
    const grain = Math.max(1, Math.floor(CHUNK / Math.max(width, 1)));
    rt.run("indexSelect", [rt.pointer(y!), rt.pointer(x!), rt.pointer(ids!), code, width], sizeOf(ids!.shape), grain);
  },
  indexAdd: (rt, [x, ids], [y]) => {
    const [rows] = y!.shape as [number];
    const width = sizeOf(y!.shape.slice(1));
    const count = sizeOf(ids!.shape);
    const grain = Math.max(1, Math.floor(CHUNK / (STRIP * (rows + count))));
    rt.run(
      "indexAdd",
      [rt.pointer(y!), rt.pointer(x!), rt.pointer(ids!), count, rows, width, STRIP],
      rows > 0 ? Math.ceil(width / STRIP) : 0,
      grain,
    );
  },
} satisfies Partial<KernelTable<Runtime>>;
