// The CPU as a device: one WebAssembly memory, all threads. Kernels are done when run() returns, so flush() has nothing to wait for.
import { type Backend, type DeviceBuffer, DeviceError, type Kernel, type Limits, type MemoryUse, type View } from "@qlora-js/core";
import { platform } from "#platform";
import { BOARD_END, type WasmKernel } from "./job-board.ts";
import { kernels } from "./kernels/index.ts";
import { Memory } from "./memory.ts";
import { CpuBuffer, Runtime, SCRATCH_BYTES, TABLES_BYTES } from "./runtime.ts";
import { ThreadPool } from "./thread-pool.ts";

/** How many threads. */
export interface CpuBackendOptions {
  /** Threads that compute, the calling one included; as many as there are processors by default. One where memory cannot be shared. */
  readonly threads?: number;
  /** The most the backend may hold; 4 GiB, which is what WebAssembly addresses, by default. */
  readonly maxBytes?: number;
}

const WASM_PAGE = 65536;
const MOST_PAGES = 65535; // a page short of 4 GiB: the end of the last buffer is an address, too
const MOST_THREADS = 64;

/** The CPU as a device: one WebAssembly memory, shared by all threads. The bits of a result do not depend on the number of threads. */
export class CpuBackend implements Backend {
  readonly name = "cpu";
  readonly limits: Limits;
  readonly #runtime: Runtime;
  readonly #buffers = new Set<CpuBuffer>();
  #disposed = false;

  /** For createCpuBackend, which prepares what this needs. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const { maximumBytes } = runtime.memory;
    this.limits = { maxBufferBytes: maximumBytes, maxTotalBytes: maximumBytes };
  }

  /** Threads that compute, the calling one included. */
  get threads(): number {
    return this.#runtime.threads;
  }

  alloc(byteLength: number): DeviceBuffer {
    if (this.#disposed) throw new DeviceError("cpu: the backend was used after dispose().");
    const buffer = new CpuBuffer(this.#runtime, this.#runtime.memory.allocate(byteLength), byteLength);
    this.#buffers.add(buffer);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    if (this.#disposed) return; // it went with all others
    const own = this.#runtime.own(buffer);
    own.live = false;
    this.#buffers.delete(own);
    this.#runtime.memory.free(own.pointer);
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    this.#bytes(buffer, offset, bytes.length).set(bytes);
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return new Uint8Array(this.#bytes(buffer, offset, byteLength)); // out of the shared memory, which many host functions refuse
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const table: Readonly<Record<string, Kernel<Runtime, never>>> = kernels;
    const kernel = Object.hasOwn(table, op) ? table[op] : undefined;
    if (!kernel) throw new DeviceError(`cpu: there is no kernel "${op}".`);
    kernel(this.#runtime, inputs, outputs, attrs as never);
  }

  async flush(): Promise<void> {}

  memory(): MemoryUse {
    const { liveBuffers, liveBytes, peakBytes } = this.#runtime.memory;
    return { liveBuffers, liveBytes, peakBytes };
  }

  resetPeak(): void {
    this.#runtime.memory.resetPeak();
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.free(buffer);
    this.#disposed = true;
    this.#runtime.pool.dispose();
  }

  #bytes(buffer: DeviceBuffer, offset: number, byteLength: number): Uint8Array {
    const { pointer } = this.#runtime.own(buffer);
    if (offset < 0 || byteLength < 0 || offset + byteLength > buffer.byteLength)
      throw new DeviceError(`cpu: bytes ${offset} to ${offset + byteLength} are not within a buffer of ${buffer.byteLength}.`);
    return new Uint8Array(this.#runtime.memory.buffer, pointer + offset, byteLength);
  }
}

/**
 * The CPU backend: WebAssembly SIMD on all processors. Results are the same bits with any number of threads.
 * @throws DeviceError if the kernels or a thread do not load
 */
export async function createCpuBackend({
  threads = platform.processors,
  maxBytes = MOST_PAGES * WASM_PAGE,
}: CpuBackendOptions = {}): Promise<CpuBackend> {
  const shared = platform.canShareMemory;
  const count = shared ? Math.min(Math.max(Math.floor(threads), 1), MOST_THREADS) : 1;
  const module = await platform.loadKernels(shared);
  const { memory, maximumBytes } = reserve(Math.min(Math.ceil(maxBytes / WASM_PAGE), MOST_PAGES), shared);
  const { heapBase } = new WebAssembly.Instance(module, { env: { memory } }).exports as { heapBase: WasmKernel };
  const base = Math.ceil(Math.max(heapBase(), BOARD_END) / 64) * 64;
  const tables = base + count * SCRATCH_BYTES;
  const end = tables + TABLES_BYTES;
  memory.grow(Math.ceil(end / WASM_PAGE) - memory.buffer.byteLength / WASM_PAGE);
  const scratch = Array.from({ length: count }, (_, i) => base + i * SCRATCH_BYTES);
  const pool = await ThreadPool.create({ platform, module, memory, scratch });
  return new CpuBackend(new Runtime(new Memory(memory, end, maximumBytes), pool, tables));
}

/** Address room only: pages become memory when they are touched. Some hosts have less room than asked, and get half until it fits. */
function reserve(pages: number, shared: boolean): { memory: WebAssembly.Memory; maximumBytes: number } {
  for (let maximum = pages; ; maximum = Math.floor(maximum / 2)) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum, shared }), maximumBytes: maximum * WASM_PAGE };
    } catch (error) {
      if (maximum < 256) throw error;
    }
  }
}
