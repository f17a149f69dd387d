// Launcher of the cache's update: one block of rows for each row of the batch.
import type { KernelTable } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { blocksAround, copyBlocks } from "./blocks.ts";

export const writeRowsKernels = {
  writeRows: (rt, [cache, rows], _, { start }) => {
    const to = blocksAround(cache!, 1);
    const { blocks, bytes } = blocksAround(rows!, 1);
    copyBlocks(rt, { at: rt.pointer(cache!) + start * to.step, stride: to.bytes }, { at: rt.pointer(rows!), stride: bytes }, bytes, blocks);
  },
} satisfies Partial<KernelTable<Runtime>>;
