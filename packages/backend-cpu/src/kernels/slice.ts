// Launchers of slice and pad: blocks of bytes around the axis.
import type { KernelTable } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { blocksAround, copyBlocks, zeroBlocks } from "./blocks.ts";

export const sliceKernels = {
  slice: (rt, [x], [y], { axis, start }) => {
    const from = blocksAround(x!, axis);
    const { blocks, bytes } = blocksAround(y!, axis);
    copyBlocks(rt, { at: rt.pointer(y!), stride: bytes }, { at: rt.pointer(x!) + start * from.step, stride: from.bytes }, bytes, blocks);
  },
  pad: (rt, [x], [y], { axis, before, after }) => {
    const { blocks, step, bytes } = blocksAround(x!, axis);
    const stride = blocksAround(y!, axis).bytes;
    const at = rt.pointer(y!);
    zeroBlocks(rt, { at, stride }, before * step, blocks);
    copyBlocks(rt, { at: at + before * step, stride }, { at: rt.pointer(x!), stride: bytes }, bytes, blocks);
    zeroBlocks(rt, { at: at + before * step + bytes, stride }, after * step, blocks);
  },
} satisfies Partial<KernelTable<Runtime>>;
