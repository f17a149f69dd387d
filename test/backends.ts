// The backends that every suite runs on. One line each.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import type { Backend } from "@qlora-js/core";

export interface BackendUnderTest {
  readonly name: string;
  readonly create: () => Promise<Backend>;
}

export const backends: readonly BackendUnderTest[] = [{ name: "plain", create: async () => createPlainBackend() }];
