// The page's trial on real backends in Node: who is faster there is known.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import type { Backend } from "@qlora-js/core";
import { expect, test } from "vitest";
import { chosen, fasterOf } from "./trial.ts";

test("the trial finds the faster device, says what it measured, and leaves nothing on them", async () => {
  const wasm = { name: "WebAssembly", backend: (await createCpuBackend({ threads: 1 })) as Backend };
  const slow = { name: "gpu.js as JavaScript", backend: (await createGpuJsBackend({ mode: "cpu" })) as Backend };
  const { faster, slower, words } = await fasterOf(slow, wasm);
  expect([faster, slower]).toEqual([wasm, slow]);
  expect(words).toMatch(/^In a trial .* gpu\.js as JavaScript took \d+ ms for what took WebAssembly [\d.]+ ms: .* on WebAssembly\.$/);
  for (const { backend } of [wasm, slow]) {
    expect(backend.memory().liveBuffers).toBe(0);
    backend.dispose();
  }
});

test("the one that took less is chosen, whichever it is, and the first where both took the same", () => {
  const [wasm, webGl] = ["WebAssembly on one thread", "WebGL2"].map((name) => ({ name, backend: {} as Backend })) as [Named, Named];
  const { faster, slower, words } = chosen(wasm, webGl, [12.4, 3.21]);
  expect([faster, slower]).toEqual([webGl, wasm]);
  expect(words).toMatch(/WebAssembly on one thread took 12 ms for what took WebGL2 3\.2 ms: the model learns on WebGL2\.$/);
  expect(chosen(wasm, webGl, [3.2, 12.4]).faster).toBe(wasm);
  expect(chosen(wasm, webGl, [5, 5]).faster).toBe(wasm);
});

interface Named {
  readonly name: string;
  readonly backend: Backend;
}
