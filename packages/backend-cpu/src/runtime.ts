// What a WebAssembly kernel's launcher sees of the device. A launcher is a function (runtime, inputs, outputs, attrs); it turns views into pointers and
// sizes, chooses how the work is cut into tasks, and calls run():
//
//   softmax: (rt, [x], [y]) => rt.run("softmax", [rt.pointer(x!), rt.pointer(y!), width], rows, 16),
//
// which calls the AssemblyScript export `softmax(x: usize, y: usize, width: i32, first: i32, end: i32, scratch: usize)` on ranges [first, end) of
// rows, 16 or fewer at a time, on all threads. Rules for kernels: write only what belongs to the tasks of the range, compute it in an order that does
// not depend on the range, keep no state in module variables, and use at most SCRATCH_BYTES of scratch, whose contents are lost between calls.
// Ranges below about 10 µs of work are not worth a thread: choose `grain` so that one is more.
//
// Runtime is also a Host, so plain kernels run on it unchanged.
import { type DeviceBuffer, DeviceError, sizeOf, type View } from "@qlora-js/core";
import type { Host } from "./host.ts";
import type { Memory } from "./memory.ts";
import type { ThreadPool } from "./thread-pool.ts";

/** Room of its own for each thread, for packed panels and the like. */
export const SCRATCH_BYTES = 512 * 1024;

/** Room at `tables` for what a launcher writes down for its kernel: more than fits in arguments. The next launch may overwrite it. */
export const TABLES_BYTES = 4096;

/** A region of the WebAssembly memory. */
export class CpuBuffer implements DeviceBuffer {
  live = true;
  constructor(
    readonly owner: Runtime,
    readonly pointer: number,
    readonly byteLength: number,
  ) {}
}

export class Runtime implements Host {
  #tablesBuffer: ArrayBufferLike | undefined;
  #tableWords: Uint32Array = new Uint32Array();
  #tableFloats: Float32Array = new Float32Array();

  constructor(
    readonly memory: Memory,
    readonly pool: ThreadPool,
    /** Pointer to TABLES_BYTES. */
    readonly tables: number,
  ) {}

  /** The tables' contents. Good until the next allocation: memory of one thread is detached when it grows. */
  get tableWords(): Uint32Array {
    this.#lookAtTables();
    return this.#tableWords;
  }
  get tableFloats(): Float32Array {
    this.#lookAtTables();
    return this.#tableFloats;
  }

  #lookAtTables(): void {
    const { buffer } = this.memory;
    if (this.#tablesBuffer === buffer) return;
    this.#tablesBuffer = buffer;
    this.#tableWords = new Uint32Array(buffer, this.tables, TABLES_BYTES / 4);
    this.#tableFloats = new Float32Array(buffer, this.tables, TABLES_BYTES / 4);
  }

  get threads(): number {
    return this.pool.threads;
  }

  /** Calls the export `kernel(...args, first, end, scratch)` over tasks 0 … tasks − 1, up to `grain` at a time; see ThreadPool.run. @throws DeviceError */
  run(kernel: string, args: readonly number[], tasks = 1, grain = 1): void {
    this.pool.run(kernel, args, tasks, grain);
  }

  /** Address of a view's first byte. @throws DeviceError if its buffer was freed or is not this backend's */
  pointer(view: View): number {
    return this.own(view.buffer).pointer;
  }

  /** Room for the length of one launch, for what all threads share. @throws OutOfMemoryError */
  withRoom<T>(byteLength: number, use: (pointer: number) => T): T {
    const pointer = this.memory.allocate(byteLength);
    try {
      return use(pointer);
    } finally {
      this.memory.free(pointer);
    }
  }

  f32(view: View): Float32Array {
    return new Float32Array(this.memory.buffer, this.pointer(view), sizeOf(view.shape));
  }
  u16(view: View): Uint16Array {
    return new Uint16Array(this.memory.buffer, this.pointer(view), sizeOf(view.shape));
  }
  i32(view: View): Int32Array {
    return new Int32Array(this.memory.buffer, this.pointer(view), sizeOf(view.shape));
  }
  u8(view: View): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.pointer(view), sizeOf(view.shape));
  }

  /** The buffer as one of this backend's. @throws DeviceError if it is not, or was freed */
  own(buffer: DeviceBuffer): CpuBuffer {
    if (buffer instanceof CpuBuffer && buffer.owner === this && buffer.live) return buffer;
    throw new DeviceError(`cpu: a buffer of ${buffer.byteLength} bytes was used that is not live here: freed, or of another backend.`);
  }
}
