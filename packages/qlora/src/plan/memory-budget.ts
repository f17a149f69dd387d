// What this machine has for a run. Node only.
import type { MemoryBudget } from "./choose-recompute.ts";

/** Addresses of one WebAssembly memory, which all of the CPU backend's buffers share. */
const WASM_BYTES = 4 * 2 ** 30;
/** Left to the rest of the machine. */
const SHARE_OF_FREE = 0.9;
/** Keeping everything saves a few percent of the time; nobody asked for more memory than this for it. */
const ROOMY_BYTES = 450_000_000;

/**
 * What a run may take on this machine.
 * @param wanted bytes for the whole process; what is free, or what the process's group may have, less a tenth, if left out
 */
export function memoryBudget(wanted?: number): MemoryBudget {
  const totalBytes = wanted ?? Math.floor(process.availableMemory() * SHARE_OF_FREE);
  return { totalBytes, deviceBytes: WASM_BYTES, roomyBytes: Math.min(totalBytes / 2, ROOMY_BYTES) };
}
