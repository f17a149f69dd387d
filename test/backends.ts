// The backends that every suite runs on. One line each.
import { createCpuBackend, createPlainBackend } from "@qlora-js/backend-cpu";
import type { Backend } from "@qlora-js/core";

export interface BackendUnderTest {
  readonly name: string;
  readonly create: () => Promise<Backend>;
}

export const backends: readonly BackendUnderTest[] = [
  { name: "plain", create: async () => createPlainBackend() },
  { name: "cpu, 1 thread", create: () => createCpuBackend({ threads: 1 }) },
  { name: "cpu, 2 threads", create: () => createCpuBackend({ threads: 2 }) },
];
