// Bytes of a tensor around one of its axes, moved or zeroed in blocks.
import { BYTES, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";

/** Bytes that are worth a task. */
const TASK_BYTES = 65536;

const grainOfBytes = (bytes: number): number => Math.max(1, Math.floor(TASK_BYTES / Math.max(bytes, 1)));

/** How many blocks lie before the axis, the bytes of one step along it, and the bytes of the whole axis. */
export function blocksAround(view: View, axis: number): { readonly blocks: number; readonly step: number; readonly bytes: number } {
  const step = sizeOf(view.shape.slice(axis + 1)) * BYTES[view.dtype];
  return { blocks: sizeOf(view.shape.slice(0, axis)), step, bytes: step * view.shape[axis]! };
}

/** Where blocks lie: address of the first, bytes from one to the next. */
export interface Place {
  readonly at: number;
  readonly stride: number;
}

export function copyBlocks(rt: Runtime, to: Place, from: Place, bytes: number, blocks: number): void {
  if (bytes > 0) rt.run("copyBlocks", [to.at, to.stride, from.at, from.stride, bytes], blocks, grainOfBytes(bytes));
}

export function zeroBlocks(rt: Runtime, to: Place, bytes: number, blocks: number): void {
  if (bytes > 0) rt.run("zeroBlocks", [to.at, to.stride, bytes], blocks, grainOfBytes(bytes));
}
