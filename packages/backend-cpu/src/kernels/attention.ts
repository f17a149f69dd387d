// Launchers of attention: which of the two forward kernels, how large the blocks are, and where the backward pass gathers what heads share.
import type { AttentionAttrs, KernelTable, View } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import { type Runtime, SCRATCH_BYTES } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

/** Below so many queries a head, packing the keys costs more than it saves. */
const FEW_QUERIES = 3;

/**
 * The most room for dk and dv of every query head. Within it a head is a task, and what heads share is added up afterwards; beyond it, the heads that
 * share are one task. Chosen by shape alone: the two add in different orders.
 */
const MOST_GATHERED = 16 * 2 ** 20;

/** What kernels take for no window, larger than any sequence, and for no cap. */
const windowOf = ({ window }: AttentionAttrs): number => Math.min(window ?? NO_WINDOW, NO_WINDOW);
const NO_WINDOW = 2 ** 30;
const softcapOf = ({ softcap }: AttentionAttrs): number => softcap ?? 0;

/** Rows of D numbers in scratch: whole tiles, and 8 more so that rows of 2ⁿ bytes do not share the same few cache lines. */
const rowBytes = (D: number): number => 4 * (wide(D) + 8);
const wide = (D: number): number => Math.ceil(D / 8) * 8;

/** Queries and keys of a block: the most of 64, 32, 16, 8 whose scratch fits; 0 where none does. */
function blockSize(bytes: (block: number) => number): number {
  return [64, 32, 16, 8].find((block) => bytes(block) <= SCRATCH_BYTES) ?? 0;
}
const backwardBlock = (D: number): number => blockSize((block) => block * (6 * rowBytes(D) + 8 * wide(D) + 8 * block + 8));
const forwardBlock = (D: number): number => blockSize((block) => block * (3 * rowBytes(D) + 4 * wide(D) + 4 * block + 16));

export const attentionKernels = {
  attention: (rt, inputs, outputs, attrs: AttentionAttrs) => {
    const [q, k] = inputs as [View, View, View, View];
    const [batch, time, heads, size] = q.shape as [number, number, number, number];
    const [, keys, groups] = k.shape as [number, number, number, number];
    const pointers = [...inputs, ...outputs].map((view) => rt.pointer(view));
    const { scale, offset } = attrs;
    const [window, softcap] = [windowOf(attrs), softcapOf(attrs)];
    const block = forwardBlock(size);
    if (block === 0) plainKernels.attention(rt, inputs, outputs, attrs);
    else if (time < FEW_QUERIES)
      rt.run(
        "attentionRows",
        [...pointers, time, heads, size, keys, groups, scale, offset, window, softcap],
        batch * time * heads,
        grainOf(Math.min(time + offset, window), size),
      );
    else {
      const tasks = batch * heads * Math.ceil(time / block);
      rt.run("attention", [...pointers, batch, time, heads, size, keys, groups, scale, offset, window, softcap, block], tasks);
    }
  },
  attentionBackward: (rt, inputs, outputs, attrs: AttentionAttrs) => {
    const [q, k] = inputs as [View, View, View, View, View, View, View];
    const [batch, time, heads, size] = q.shape as [number, number, number, number];
    const [, keys, groups] = k.shape as [number, number, number, number];
    const [dq, dk, dv] = outputs.map((view) => rt.pointer(view)) as [number, number, number];
    const block = backwardBlock(size);
    if (block === 0) return plainKernels.attentionBackward(rt, inputs, outputs, attrs);
    const { scale, offset } = attrs;
    const sizes = [time, heads, size, keys, groups, scale, offset, windowOf(attrs), softcapOf(attrs), block];
    const run = (dkAt: number, dvAt: number, together: number): void =>
      rt.run(
        "attentionBackward",
        [...inputs.map((view) => rt.pointer(view)), dq, dkAt, dvAt, ...sizes, together],
        (batch * heads) / together,
      );
    const shared = heads / groups;
    const bytes = 4 * batch * keys * heads * size;
    if (shared === 1 || 2 * bytes > MOST_GATHERED) return run(dk, dv, shared);
    rt.withRoom(2 * bytes, (room) => {
      run(room, room + bytes, 1);
      const rows = batch * keys * groups;
      const grain = Math.max(1, Math.floor(CHUNK / (shared * size)));
      rt.run("attentionAddHeads", [dk, room, shared, size], rows, grain);
      rt.run("attentionAddHeads", [dv, room + bytes, shared, size], rows, grain);
    });
  },
} satisfies Partial<KernelTable<Runtime>>;

/** Heads that make some 10 µs of work together. */
const grainOf = (keys: number, size: number): number => Math.max(1, Math.floor(32768 / Math.max(keys * size, 1)));
