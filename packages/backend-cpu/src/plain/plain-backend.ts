// A backend of ordinary ArrayBuffers and the plain kernels: slow, short, and the one the others are compared with. Runs are done when `run` returns.
import {
  type Backend,
  type DeviceBuffer,
  DeviceError,
  type Kernel,
  type Limits,
  type MemoryUse,
  OutOfMemoryError,
  sizeOf,
  type View,
} from "@qlora-js/core";
import type { Host } from "../host.ts";
import { plainKernels } from "./index.ts";

/** What the backend may hold, in bytes; 4 GiB by default. */
export type PlainBackendOptions = Partial<Limits>;

const GIB = 2 ** 30;
const FRESH = 0xff; // what new buffers are filled with: NaN in every float, so that a kernel that leaves an element out is found out

class PlainBuffer implements DeviceBuffer {
  readonly bytes: ArrayBuffer;

  constructor(readonly byteLength: number) {
    this.bytes = new ArrayBuffer(byteLength);
    new Uint8Array(this.bytes).fill(FRESH);
  }
}

const bytesOf = ({ buffer }: View): ArrayBuffer => (buffer as PlainBuffer).bytes; // run() has looked at whose it is

const HOST: Host = {
  f32: (view) => new Float32Array(bytesOf(view), 0, sizeOf(view.shape)),
  u16: (view) => new Uint16Array(bytesOf(view), 0, sizeOf(view.shape)),
  i32: (view) => new Int32Array(bytesOf(view), 0, sizeOf(view.shape)),
  u8: (view) => new Uint8Array(bytesOf(view), 0, sizeOf(view.shape)),
};

class PlainBackend implements Backend {
  readonly name = "plain";
  readonly #live = new Set<PlainBuffer>();
  #liveBytes = 0;
  #peakBytes = 0;
  #disposed = false;

  constructor(readonly limits: Limits) {}

  alloc(byteLength: number): DeviceBuffer {
    if (this.#disposed) throw new DeviceError("plain: the backend was used after dispose().");
    const { maxBufferBytes, maxTotalBytes } = this.limits;
    if (byteLength > maxBufferBytes || this.#liveBytes + byteLength > maxTotalBytes)
      throw new OutOfMemoryError(
        this.name,
        byteLength,
        this.#liveBytes,
        `no room for ${byteLength} bytes: ${this.#liveBytes} of ${maxTotalBytes} are in use, and one buffer takes ${maxBufferBytes} at most.`,
      );
    const buffer = new PlainBuffer(byteLength);
    this.#live.add(buffer);
    this.#liveBytes += byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const own = this.#own(buffer);
    this.#live.delete(own);
    this.#liveBytes -= own.byteLength;
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    new Uint8Array(this.#own(buffer).bytes).set(bytes, offset);
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return new Uint8Array(this.#own(buffer).bytes, offset, byteLength).slice();
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const kernels: Readonly<Record<string, Kernel<Host, never>>> = plainKernels;
    const kernel = Object.hasOwn(kernels, op) ? kernels[op] : undefined;
    if (!kernel) throw new DeviceError(`plain: there is no kernel "${op}".`);
    for (const { buffer } of [...inputs, ...outputs]) this.#own(buffer);
    kernel(HOST, inputs, outputs, attrs as never);
  }

  async flush(): Promise<void> {}

  memory(): MemoryUse {
    return { liveBuffers: this.#live.size, liveBytes: this.#liveBytes, peakBytes: this.#peakBytes };
  }

  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#live) this.free(buffer);
  }

  /** @throws DeviceError unless the buffer was made here and not freed */
  #own(buffer: DeviceBuffer): PlainBuffer {
    if (buffer instanceof PlainBuffer && this.#live.has(buffer)) return buffer;
    throw new DeviceError(`plain: a buffer of ${buffer.byteLength} bytes was used that is not live here: freed, or of another backend.`);
  }
}

/** A backend in plain TypeScript: needs no WebAssembly and no threads. */
export const createPlainBackend = ({ maxBufferBytes = 4 * GIB, maxTotalBytes = 4 * GIB }: PlainBackendOptions = {}): Backend =>
  new PlainBackend({ maxBufferBytes, maxTotalBytes });
