// What differs between Node and the browser, as one small interface. package.json's "#platform" resolves to platform-node or platform-web.
import type { WorkerStart } from "./worker.ts";

export interface RunningWorker {
  /** Ends the thread, whatever it does. */
  terminate(): void;
}

export interface Platform {
  /** False in a page that is not cross-origin isolated: one thread then. */
  readonly canShareMemory: boolean;
  /** False on a browser's main thread, which may only spin. */
  readonly mayWait: boolean;
  readonly processors: number;
  /** The kernels for shared memory, or those for memory of one thread. */
  loadKernels(shared: boolean): Promise<WebAssembly.Module>;
  /** Resolves when the worker can take jobs. It does not keep the process alive. @throws DeviceError if it does not start */
  startWorker(start: WorkerStart): Promise<RunningWorker>;
}
