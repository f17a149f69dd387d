import { expect, it } from "vitest";
import { Memory } from "./memory.ts";
import { Runtime } from "./runtime.ts";
import type { ThreadPool } from "./thread-pool.ts";

// a browser's page that is not cross-origin isolated has memory that is not shared, whose arrays are detached when it grows
it.each([true, false])("keeps its tables where the memory grows, shared: %s", (shared) => {
  const memory = new Memory(new WebAssembly.Memory({ initial: 1, maximum: 64, shared }), 8192, 64 * 65536);
  const runtime = new Runtime(memory, {} as ThreadPool, 4096);
  runtime.tableFloats.set([1.5]);
  memory.allocate(2 ** 20);
  expect(runtime.tableFloats[0]).toBe(1.5);
  runtime.tableWords.fill(7, 0, 1);
  expect(runtime.tableWords[0]).toBe(7);
});
