// Browsers: kernels by fetch, threads from Web Workers, both from beside this module. Shared memory needs a page that is cross-origin isolated (headers
// COOP and COEP). Whoever waits for a job blocks, so a backend of several threads is best made in a worker; on the main thread it spins instead.
import { DeviceError } from "@qlora-js/core";
import type { Platform } from "./platform.ts";
import type { WorkerStart } from "./worker.ts";

async function compile(url: URL): Promise<WebAssembly.Module> {
  const failed = (why: string, cause?: unknown): DeviceError =>
    new DeviceError(`cpu: the kernels at ${url.href} could not be loaded (${why}). Serve the package's dist folder with its .wasm files.`, {
      cause,
    });
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw failed(String(cause), cause);
  }
  if (!response.ok) throw failed(String(response.status));
  return WebAssembly.compile(await response.arrayBuffer()); // not compileStreaming: static servers often send no wasm media type
}

export const platform: Platform = {
  canShareMemory: typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated === true,
  mayWait: typeof document === "undefined",
  processors: globalThis.navigator?.hardwareConcurrency ?? 1,
  loadKernels: (shared) => compile(shared ? new URL("./kernels.wasm", import.meta.url) : new URL("./kernels-single.wasm", import.meta.url)),
  startWorker: (start: WorkerStart) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker-web.js", import.meta.url), { type: "module" });
      worker.onerror = (event) => {
        worker.terminate();
        reject(new DeviceError(`cpu: a worker did not start (${event.message || "its script did not load"}). Use threads: 1.`));
      };
      worker.onmessage = () => resolve({ terminate: () => worker.terminate() });
      worker.postMessage(start);
    }),
};
