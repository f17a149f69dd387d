// The kernel of an op, by its name.
import { DeviceError, type Kernel } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { kernels } from "./index.ts";

/** @throws DeviceError if there is none */
export function kernelOf(op: string): Kernel<Gpu, never> {
  const table: Readonly<Record<string, Kernel<Gpu, never>>> = kernels;
  const kernel = Object.hasOwn(table, op) ? table[op] : undefined;
  if (!kernel) throw new DeviceError(`webgpu: there is no kernel "${op}".`);
  return kernel;
}
