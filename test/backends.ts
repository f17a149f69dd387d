// The backends that every suite runs on. One line each.
import { createCpuBackend, createPlainBackend } from "@qlora-js/backend-cpu";
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import { createWebGpuBackend } from "@qlora-js/backend-webgpu";
import { type Backend, UnsupportedError } from "@qlora-js/core";

export interface BackendUnderTest {
  readonly name: string;
  readonly create: () => Promise<Backend>;
  /** False where gradients are taken once: recomputing is core's, and tried on the other backends. */
  readonly recomputes?: false;
  /** The most draws of a property, where another backend has them all. */
  readonly draws?: number;
  /** Where another backend has all kinds of shapes. */
  readonly compilesSlowly?: true;
}

/** Why WebGPU cannot be tested here; undefined where it can. */
export const withoutWebGpu: string | undefined = (await createWebGpuBackend({ software: true }).then(
  (backend) => backend.dispose(),
  (error: unknown) => {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  },
)) as string | undefined;
if (withoutWebGpu) console.warn(`skipping WebGPU: ${withoutWebGpu}`);

export const backends: readonly BackendUnderTest[] = [
  { name: "plain", create: async () => createPlainBackend() },
  { name: "cpu, 1 thread", create: () => createCpuBackend({ threads: 1 }) },
  { name: "cpu, 2 threads", create: () => createCpuBackend({ threads: 2 }) },
  { name: "gpujs", create: () => createGpuJsBackend({ mode: "cpu" }), recomputes: false },
  ...(withoutWebGpu ? [] : [{ name: "webgpu", create: () => createWebGpuBackend({ software: true }) }]),
];
