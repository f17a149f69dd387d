// What runs programs: the part of a device that differs between textures and arrays. Numbers live on it; an engine knows nothing of buffers, bytes or ops.
import type { Program } from "./program.ts";

/** Numbers on the device, in one row. They have one owner, who frees them. */
export interface Numbers {
  readonly length: number;
}

/** How a program sees numbers: as [columns], [columns, rows] or [columns, rows, matrices]. */
export type Size = readonly [columns: number, rows?: number, matrices?: number];

/** Numbers as an argument of a program. */
export interface Sized {
  readonly numbers: Numbers;
  readonly size: Size;
}

/** A whole number as an argument: an int in GLSL, where 7 / 2 and indices need it. */
export interface Whole {
  readonly whole: number;
}

/** A number alone is a float; a Float32Array is a short list from the host, which is sent along. An argument is of one kind in all calls. */
export type Argument = number | Whole | Sized | Float32Array;

export const whole = (value: number): Whole => ({ whole: value });

/** How many threads: a list, or rows of columns. */
export type Threads = readonly [columns: number, rows?: number];

/** What numbers take on the device. */
export interface BytesInUse {
  readonly live: number;
  readonly peak: number;
}

export interface Engine {
  /** What computes, as it names itself. */
  readonly device: string;
  /** Numbers that are live now; for the tests of leaks. */
  readonly live: number;
  /** Bytes of the numbers that are live now, and of the most there were since `resetPeak`. */
  readonly bytes: BytesInUse;
  /** The most numbers one call may make. */
  readonly mostNumbers: number;
  /** The op whose programs come next: a device that is lost says what was on its way. */
  begin(op: string): void;
  /** One number a thread, row by row. */
  run(program: Program, threads: Threads, args: readonly Argument[]): Numbers;
  upload(values: Float32Array): Numbers;
  /** A copy, now: where kernels are so far done, this waits. */
  download(numbers: Numbers): Float32Array;
  /** A copy, when the device gets there. */
  read(numbers: Numbers): Promise<Float32Array>;
  free(numbers: Numbers): void;
  flush(): Promise<void>;
  /** The most bytes there were are counted anew. */
  resetPeak(): void;
  dispose(): void;
}
