// Node: kernels from the package's dist folder, threads from worker_threads.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DeviceError } from "@qlora-js/core";
import type { Platform } from "./platform.ts";

export const platform: Platform = {
  canShareMemory: true,
  mayWait: true,
  processors: availableParallelism(),
  loadKernels: async (shared) =>
    WebAssembly.compile(await readFile(new URL(shared ? "../dist/kernels.wasm" : "../dist/kernels-single.wasm", import.meta.url))),
  startWorker: (start) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("../dist/worker-node.js", import.meta.url), {
        workerData: start,
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
      });
      const fail = (cause: unknown) => reject(new DeviceError("cpu: a worker thread did not start. Use threads: 1.", { cause }));
      worker.once("error", fail);
      worker.once("exit", fail);
      worker.once("message", () => {
        worker.removeListener("exit", fail);
        worker.unref();
        resolve({ terminate: () => void worker.terminate() });
      });
    }),
};
