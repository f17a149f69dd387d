// Browsers: kernels by fetch, threads from Web Workers. Shared memory needs a page that is cross-origin isolated (headers COOP and COEP).
import { DeviceError } from "@qlora-js/core";
import type { Platform } from "./platform.ts";
import type { WorkerStart } from "./worker.ts";

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new DeviceError(`cpu: the kernels at ${url.href} could not be loaded (${response.status}).`);
  return WebAssembly.compile(await response.arrayBuffer()); // not compileStreaming: static servers often send no wasm media type
}

export const platform: Platform = {
  canShareMemory: typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated === true,
  mayWait: typeof document === "undefined",
  processors: globalThis.navigator?.hardwareConcurrency ?? 1,
  loadKernels: (shared) =>
    compile(shared ? new URL("../dist/kernels.wasm", import.meta.url) : new URL("../dist/kernels-single.wasm", import.meta.url)),
  startWorker: (start: WorkerStart) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("../dist/worker-web.js", import.meta.url), { type: "module" });
      worker.onerror = (event) => reject(new DeviceError(`cpu: a worker did not start (${event.message}). Use threads: 1.`));
      worker.onmessage = () => resolve({ terminate: () => worker.terminate() });
      worker.postMessage(start);
    }),
};
