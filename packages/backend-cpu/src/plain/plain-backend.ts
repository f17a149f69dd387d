// A backend of ordinary ArrayBuffers and the plain kernels: slow, short, and the one the others are compared with. Runs are done when `run` returns.
import {
  type Backend,
  type DeviceBuffer,
  DeviceError,
  type Kernel,
  type Limits,
  LiveBuffers,
  type MemoryUse,
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
  readonly #buffers: LiveBuffers<PlainBuffer>;

  constructor(readonly limits: Limits) {
    this.#buffers = new LiveBuffers(this.name, limits, (byteLength) => new PlainBuffer(byteLength));
  }

  alloc(byteLength: number): DeviceBuffer {
    return this.#buffers.alloc(byteLength);
  }

  free(buffer: DeviceBuffer): void {
    this.#buffers.free(buffer);
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    new Uint8Array(this.#buffers.own(buffer).bytes).set(bytes, offset);
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return new Uint8Array(this.#buffers.own(buffer).bytes, offset, byteLength).slice();
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const kernels: Readonly<Record<string, Kernel<Host, never>>> = plainKernels;
    const kernel = Object.hasOwn(kernels, op) ? kernels[op] : undefined;
    if (!kernel) throw new DeviceError(`plain: there is no kernel "${op}".`);
    for (const { buffer } of [...inputs, ...outputs]) this.#buffers.own(buffer);
    kernel(HOST, inputs, outputs, attrs as never);
  }

  async flush(): Promise<void> {}

  memory(): MemoryUse {
    return this.#buffers.memory();
  }

  resetPeak(): void {
    this.#buffers.resetPeak();
  }

  dispose(): void {
    this.#buffers.close();
  }
}

/** A backend in plain TypeScript: needs no WebAssembly and no threads. */
export const createPlainBackend = ({ maxBufferBytes = 4 * GIB, maxTotalBytes = 4 * GIB }: PlainBackendOptions = {}): Backend =>
  new PlainBackend({ maxBufferBytes, maxTotalBytes });
