// The backends of the conformance tests in a browser, in test/backends.ts's place in the bundle.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import { createWebGpuBackend } from "@qlora-js/backend-webgpu";
import type { BackendUnderTest } from "../backends.ts";

const ALL: readonly BackendUnderTest[] = [
  { name: "cpu", create: () => createCpuBackend(), recomputes: false },
  { name: "gpujs", create: () => createGpuJsBackend({ mode: "webgl2" }), recomputes: false },
  { name: "webgpu", create: () => createWebGpuBackend({ software: true }), recomputes: false },
];

/** The worker's name, which says which of them is wanted. */
const { name: wanted } = globalThis as { readonly name?: string };

export const backends = ALL.filter(({ name }) => name === wanted);
