// Launcher of concat: each input's blocks go to their place in the output's.
import type { KernelTable } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { blocksAround, copyBlocks } from "./blocks.ts";

export const concatKernels = {
  concat: (rt, inputs, [y], { axis }) => {
    const stride = blocksAround(y!, axis).bytes;
    let at = rt.pointer(y!);
    for (const x of inputs) {
      const { blocks, bytes } = blocksAround(x, axis);
      copyBlocks(rt, { at, stride }, { at: rt.pointer(x), stride: bytes }, bytes, blocks);
      at += bytes;
    }
  },
} satisfies Partial<KernelTable<Runtime>>;
