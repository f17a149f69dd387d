import { defineConfig } from "vitest/config";
import { gpuEnvironment } from "./scripts/software-gpu.mjs";

// before a test's process starts: libraries are found through the environment it starts with
Object.assign(process.env, await gpuEnvironment());

// What is built is imported as Node imports it, as users do, not rewritten by Vite: that starts and runs faster.
const server = { deps: { external: [/\/packages\/[^/]+\/dist\//] } };

// Groups: a package's own units, what every backend must pass, what the originals computed, and whole commands.
// Limits are wide: a busy machine is no failure.
const group = (name: string, include: string[], more: object = {}) => ({
  test: { name, include, testTimeout: 120_000, hookTimeout: 120_000, server, ...more },
});

// Many small files that change nothing global share a process; one that puts something in the place of a module has its own.
const SHARED = { isolate: false };
const MOCKS = "packages/qlora/src/safe-write.test.ts";

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      group("core", ["packages/core/src/**/*.test.ts"], SHARED),
      group("cpu", ["packages/backend-cpu/src/**/*.test.ts"], SHARED),
      group("webgpu", ["packages/backend-webgpu/src/**/*.test.ts"]),
      group("gpujs", ["packages/backend-gpujs/src/**/*.test.ts"], SHARED),
      group("qlora", ["packages/qlora/src/**/*.test.ts"], { ...SHARED, exclude: [MOCKS] }),
      group("mocks", [MOCKS]),
      group("conformance", ["test/ops/**/*.test.ts", "test/laws/**/*.test.ts"], SHARED),
      group("parity", ["test/parity/**/*.test.ts", "test/python/**/*.test.ts"], { testTimeout: 300_000, hookTimeout: 300_000 }),
      group("docs", ["test/docs/**/*.test.ts"], { testTimeout: 300_000 }),
      group("package", ["test/package/**/*.test.ts"]),
      group("e2e", ["test/e2e/**/*.test.ts"], { testTimeout: 300_000, hookTimeout: 300_000 }),
      group("browser", ["test/browser/**/*.test.ts", "examples/browser/*.test.ts"], { testTimeout: 300_000, hookTimeout: 300_000 }),
    ],
  },
});
