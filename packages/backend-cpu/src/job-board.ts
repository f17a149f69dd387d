// Where the threads meet: a few numbers at the bottom of the shared memory, below what the module itself uses (AssemblyScript starts at 1024).
// Each word that one thread writes while others watch has a cache line of its own.

/** Byte addresses. */
export const JOB_NUMBER = 64; // i32: counts jobs; workers wait on it
export const TICKET = 128; // u64: job number and next task, see take-tasks.as.ts
export const TASKS_DONE = 192; // i32: the caller waits on it
export const CALLER_WAITS = 196; // i32: 1 while the caller sleeps
export const SLEEPERS = 256; // i32: workers asleep
export const FAILURES = 260; // i32: tasks that trapped
export const STOP = 264; // i32: 1 when workers are to end
export const KERNEL = 320; // i32: position of the kernel in the module's list of exports
export const TASKS = 324; // i32
export const GRAIN = 328; // i32: tasks taken at a time
export const ARGUMENT_COUNT = 332; // i32
export const ARGUMENTS = 384; // f64[MAX_ARGUMENTS]: pointers, sizes and floats alike; f64 holds them all
export const MAX_ARGUMENTS = 32;
export const BOARD_END = ARGUMENTS + 8 * MAX_ARGUMENTS;

/** Looks at a word before sleeping on it: about half a millisecond, more than the host needs between two kernels, and than a small collection of its garbage. */
export const SPINS = 50_000;

/** A kernel as the module exports it; after its own arguments come the first task, the end of the tasks, and the thread's scratch. */
export type WasmKernel = (...args: number[]) => number;

/** The module's functions in one order that every thread knows. */
export const kernelNames = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === "function")
    .map(({ name }) => name);

/** Takes tasks of a job until there are none, and returns how many it did. `args` ends in three places that are filled here. */
export function work(kernel: WasmKernel, take: WasmKernel, job: number, args: number[], tasks: number, grain: number): number {
  let done = 0;
  for (;;) {
    const first = take(TICKET, job, tasks, grain);
    if (first < 0) return done;
    const end = Math.min(first + grain, tasks);
    args[args.length - 3] = first;
    args[args.length - 2] = end;
    Reflect.apply(kernel, undefined, args);
    done += end - first;
  }
}
