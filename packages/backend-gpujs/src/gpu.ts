// What a kernel sees of the device during one run: its inputs as arguments, programs to run, and its outputs to be given numbers.
import { type DType, type Shape, sizeOf, type View } from "@qlora-js/core";
import type { GpuJsBuffer } from "./buffer.ts";
import type { Argument, Engine, Numbers, Size, Sized, Threads } from "./engine.ts";
import type { Program } from "./program.ts";

export class Gpu {
  readonly #engine: Engine;
  readonly #made = new Set<Numbers>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A view's values as an argument, a list unless a size says more. */
  values({ buffer, dtype, shape }: View, size: Size = [sizeOf(shape)]): Sized {
    return { numbers: (buffer as GpuJsBuffer).numbers(dtype), size }; // the backend has looked at whose it is
  }

  /** Numbers as an argument of another size. */
  as({ numbers }: Sized, size: Size): Sized {
    return { numbers, size };
  }

  /** One number a thread. They live until this kernel is done, unless an output takes them. */
  run(program: Program, threads: Threads, args: readonly Argument[]): Sized {
    const numbers = this.#engine.run(program, threads, args);
    this.#made.add(numbers);
    return { numbers, size: threads };
  }

  /** Frees what this kernel made before it is done. */
  drop({ numbers }: Sized): void {
    if (this.#made.delete(numbers)) this.#engine.free(numbers);
  }

  /** Gives an output its values. An output that is also an input must be given them last. */
  give({ buffer, dtype }: View, { numbers }: Sized): void {
    this.#made.delete(numbers);
    (buffer as GpuJsBuffer).take(numbers, dtype);
  }

  /** The usual kernel: an output is what one program makes. */
  fill(output: View, program: Program, threads: Threads, args: readonly Argument[]): void {
    this.give(output, this.run(program, threads, args));
  }

  /** What a program cannot say, on the host: the device is waited for. */
  onHost(input: View, output: View, f: (value: number, dtype: DType) => number): void {
    const values = this.#engine.download((input.buffer as GpuJsBuffer).numbers(input.dtype)).subarray(0, sizeOf(input.shape));
    const numbers = this.#engine.upload(values.map((value) => f(value, output.dtype)));
    (output.buffer as GpuJsBuffer).take(numbers, output.dtype);
  }

  /** Frees what the kernel made and gave to no output. */
  end(): void {
    for (const numbers of this.#made) this.#engine.free(numbers);
    this.#made.clear();
  }
}

/** A shape around one axis: how many come before it, how long it is, and how many elements each of its steps has. */
export function aroundAxis(shape: Shape, axis: number): { readonly outer: number; readonly size: number; readonly inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** A shape as rows along its last axis. */
export function rowsOf(shape: Shape): { readonly rows: number; readonly n: number } {
  return { rows: sizeOf(shape.slice(0, -1)), n: shape.at(-1) ?? 1 };
}
