// Runs kernels on all threads. A job is a kernel's name, its arguments and a number of tasks; the calling thread and the workers take tasks from one
// counter until none are left, so a slow or sleeping worker delays nobody. What a task computes must not depend on who takes it, nor on which
// tasks are taken together: then the results are the same bits with any number of threads.
//
// The protocol, over the words of job-board.ts: close the ticket · write the job · open the ticket under a new number · publish the number, waking
// who sleeps · work · wait until as many tasks are done as there are. Taking a task names the number, so a worker that comes late finds nothing.
import { DeviceError } from "@qlora-js/core";
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
  TICKET,
  type WasmKernel,
  work,
} from "./job-board.ts";
import type { Platform, RunningWorker } from "./platform.ts";

export interface ThreadPoolStart {
  readonly platform: Platform;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** A pointer a thread; the first is the caller's. */
  readonly scratch: readonly number[];
}

export class ThreadPool {
  readonly #names: ReadonlyMap<string, number>;
  readonly #kernels: readonly WasmKernel[];
  readonly #words: Int32Array;
  readonly #given: Float64Array;
  readonly #start: ThreadPoolStart;
  #workers: readonly RunningWorker[] = [];
  #job = 0;
  #broken: string | null = null;

  private constructor(start: ThreadPoolStart) {
    const { module, memory } = start;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const names = kernelNames(module);
    this.#start = start;
    this.#names = new Map(names.map((name, i) => [name, i]));
    this.#kernels = names.map((name) => exports[name] as WasmKernel);
    this.#words = new Int32Array(memory.buffer, 0, ARGUMENTS >> 2);
    this.#given = new Float64Array(memory.buffer, ARGUMENTS, MAX_ARGUMENTS);
  }

  /** A pool of as many threads as there are scratch pointers, the calling one included. @throws DeviceError if one does not start */
  static async create(start: ThreadPoolStart): Promise<ThreadPool> {
    const pool = new ThreadPool(start);
    const { platform, module, memory, scratch } = start;
    pool.#workers = await Promise.all(scratch.slice(1).map((pointer) => platform.startWorker({ module, memory, scratch: pointer })));
    return pool;
  }

  get threads(): number {
    return this.#workers.length + 1;
  }

  /**
   * Calls kernel(...args, first, end, scratch) on ranges that cover tasks 0 … tasks − 1, `grain` at a time, and returns when all are done.
   * A job of one range runs on the calling thread alone.
   * @throws DeviceError if there is no such kernel, or it trapped
   */
  run(kernel: string, args: readonly number[], tasks = 1, grain = 1): void {
    if (this.#broken) throw new DeviceError(this.#broken);
    if (tasks <= 0) return;
    const position = this.#names.get(kernel);
    if (position === undefined) throw new DeviceError(`cpu: the module has no kernel "${kernel}".`);
    const own = [...args, 0, tasks, this.#start.scratch[0]!];
    try {
      if (tasks <= grain || this.#workers.length === 0) Reflect.apply(this.#kernels[position]!, undefined, own);
      else this.#runShared(position, args, own, tasks, grain);
    } catch (cause) {
      this.#broken = `cpu: the kernel "${kernel}" trapped; its outputs are not to be used, nor is the backend. This is a bug of the kernel.`;
      throw new DeviceError(this.#broken, { cause });
    }
  }

  #runShared(position: number, args: readonly number[], own: number[], tasks: number, grain: number): void {
    const words = this.#words;
    const [close, open, take] = this.#ticket();
    this.#job = (this.#job + 1) | 0;
    close(TICKET, this.#job);
    words[KERNEL >> 2] = position;
    words[TASKS >> 2] = tasks;
    words[GRAIN >> 2] = grain;
    words[ARGUMENT_COUNT >> 2] = args.length;
    this.#given.set(args);
    Atomics.store(words, TASKS_DONE >> 2, 0);
    open(TICKET, this.#job);
    Atomics.store(words, JOB_NUMBER >> 2, this.#job);
    if (Atomics.load(words, SLEEPERS >> 2) > 0) Atomics.notify(words, JOB_NUMBER >> 2);
    const done = work(this.#kernels[position]!, take, this.#job, own, tasks, grain);
    this.#await(tasks - done);
    if (Atomics.load(words, FAILURES >> 2) > 0) throw new DeviceError("in a worker thread");
  }

  /** Waits until the workers have done that many tasks: spinning, then asleep where that is allowed. */
  #await(tasks: number): void {
    const words = this.#words;
    for (let i = 0; ; i++) {
      const done = Atomics.load(words, TASKS_DONE >> 2);
      if (done >= tasks) return;
      if (i < SPINS || !this.#start.platform.mayWait) continue;
      Atomics.store(words, CALLER_WAITS >> 2, 1);
      Atomics.wait(words, TASKS_DONE >> 2, done);
      Atomics.store(words, CALLER_WAITS >> 2, 0);
    }
  }

  #ticket(): [WasmKernel, WasmKernel, WasmKernel] {
    const kernel = (name: string): WasmKernel => this.#kernels[this.#names.get(name)!]!;
    return [kernel("closeTicket"), kernel("openTicket"), kernel("takeTasks")];
  }

  /** Ends the workers. May be called twice. */
  dispose(): void {
    this.#broken ??= "cpu: the backend was used after dispose().";
    if (this.#workers.length === 0) return;
    Atomics.store(this.#words, STOP >> 2, 1);
    Atomics.add(this.#words, JOB_NUMBER >> 2, 1);
    Atomics.notify(this.#words, JOB_NUMBER >> 2);
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }
}
