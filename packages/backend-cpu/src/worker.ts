// What a worker thread does: waits for a job, takes tasks of it, waits again. It ends when STOP is set. Both platforms' worker files call this.
import {
  ARGUMENT_COUNT,
  ARGUMENTS,
  CALLER_WAITS,
  FAILURES,
  GRAIN,
  JOB_NUMBER,
  KERNEL,
  kernelNames,
  MAX_ARGUMENTS,
  SLEEPERS,
  SPINS,
  STOP,
  TASKS,
  TASKS_DONE,
  type WasmKernel,
  work,
} from "./job-board.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Pointer to this thread's scratch. */
  readonly scratch: number;
}

/** Blocks until STOP. `ready` is called once the worker can take jobs. */
export function serve({ module, memory, scratch }: WorkerStart, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = kernelNames(module).map((name) => exports[name] as WasmKernel);
  const take = exports.takeTasks as WasmKernel;
  const words = new Int32Array(memory.buffer, 0, ARGUMENTS >> 2); // low addresses: stays good when the memory grows
  const given = new Float64Array(memory.buffer, ARGUMENTS, MAX_ARGUMENTS);
  let job = Atomics.load(words, JOB_NUMBER >> 2);
  ready();
  for (;;) {
    job = nextJob(words, job);
    if (Atomics.load(words, STOP >> 2) === 1) return;
    const kernel = kernels[words[KERNEL >> 2]!]!;
    const args = [...given.subarray(0, words[ARGUMENT_COUNT >> 2]), 0, 0, scratch];
    takePart(words, kernel, take, job, args);
  }
}

/** The number of a job after `last`, spinning a while and then asleep. */
function nextJob(words: Int32Array, last: number): number {
  for (let i = 0; i < SPINS; i++) {
    const job = Atomics.load(words, JOB_NUMBER >> 2);
    if (job !== last) return job;
  }
  Atomics.add(words, SLEEPERS >> 2, 1);
  Atomics.wait(words, JOB_NUMBER >> 2, last);
  Atomics.sub(words, SLEEPERS >> 2, 1);
  return Atomics.load(words, JOB_NUMBER >> 2);
}

function takePart(words: Int32Array, kernel: WasmKernel, take: WasmKernel, job: number, args: number[]): void {
  const tasks = words[TASKS >> 2]!;
  const grain = words[GRAIN >> 2]!;
  let done = 0;
  try {
    done = work(kernel, take, job, args, tasks, grain);
  } catch {
    // A trap is a bug of a kernel. The caller must not wait for ever: it is told that tasks are over, and that they failed.
    Atomics.add(words, FAILURES >> 2, 1);
    done = tasks;
  }
  if (done > 0) {
    Atomics.add(words, TASKS_DONE >> 2, done);
    if (Atomics.load(words, CALLER_WAITS >> 2) === 1) Atomics.notify(words, TASKS_DONE >> 2);
  }
}
