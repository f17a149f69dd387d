// Whether a kernel's tensors can be bound on this GPU, before it is asked: what reads is seen through several bindings, and only so many; what is written, through one.
import { UnsupportedError } from "@qlora-js/core";
import type { Dispatch } from "./dispatch.ts";
import { windowsOf } from "./program-source.ts";

/** What bindings may be. */
export interface BindingLimits {
  /** The most bytes of one that is read. */
  readonly maxBindingBytes: number;
  /** The most bytes of one that is written. */
  readonly maxWrittenBytes: number;
  readonly maxStorageBuffers: number;
}

const WHAT_TO_DO = "Make it smaller (shorter rows or fewer of them), or use the CPU.";

/** @throws UnsupportedError where one cannot, with its size and the limit */
export function checkBindings({ name, reads, writes }: Dispatch, limits: BindingLimits): void {
  const { maxBindingBytes, maxWrittenBytes, maxStorageBuffers } = limits;
  let bindings = Object.keys(writes).length;
  for (const { buffer, shape } of Object.values(writes))
    if (buffer.byteLength > maxWrittenBytes)
      throw new UnsupportedError(
        `webgpu: ${name} writes a tensor [${shape}] of ${buffer.byteLength} bytes, and on this GPU a kernel writes at most ${maxWrittenBytes} of one. ${WHAT_TO_DO}`,
      );
  for (const view of Object.values(reads)) bindings += windowsOf(view, maxBindingBytes);
  if (bindings <= maxStorageBuffers) return;
  const largest = Object.values(reads).reduce((a, b) => (b.buffer.byteLength > a.buffer.byteLength ? b : a));
  throw new UnsupportedError(
    `webgpu: ${name} reads a tensor [${largest.shape}] of ${largest.buffer.byteLength} bytes through pieces of ${maxBindingBytes}: ${bindings} bindings, of ${maxStorageBuffers} that a kernel has on this GPU. ${WHAT_TO_DO}`,
  );
}
