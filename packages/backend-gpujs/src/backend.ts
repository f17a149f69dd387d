// A backend over gpu.js. A buffer's bytes are numbers on the device while kernels use them; a kernel makes new numbers, which take the place of an output's old
// ones, so that nothing is ever changed in place.
import {
  type Backend,
  type DeviceBuffer,
  DeviceError,
  type Kernel,
  type Limits,
  type MemoryUse,
  OutOfMemoryError,
  type View,
} from "@qlora-js/core";
import { GpuJsBuffer } from "./buffer.ts";
import type { Engine } from "./engine.ts";
import { Gpu } from "./gpu.ts";
import { gpuJsKernels } from "./kernels/index.ts";
import { ON_HOST, type OnHost } from "./on-host.ts";

/** What gpu.js makes of the kernels: GLSL in WebGL2, JavaScript, or WebAssembly. */
export type GpuJsMode = "webgl2" | "cpu" | "webasm";

/** gpu.js as a device: values are textures, or arrays where there is no WebGL2. */
export class GpuJsBackend implements Backend {
  readonly name = "gpujs";
  readonly limits: Limits;
  readonly facts: { readonly mode: GpuJsMode; readonly onHost: readonly OnHost[] };
  readonly #engine: Engine;
  readonly #gpu: Gpu;
  readonly #live = new Set<GpuJsBuffer>();
  #liveBytes = 0;
  #peakBytes = 0;
  #disposed = false;

  constructor(mode: GpuJsMode, engine: Engine) {
    this.facts = { mode, onHost: ON_HOST };
    this.#engine = engine;
    this.#gpu = new Gpu(engine);
    this.limits = { maxBufferBytes: engine.mostNumbers, maxTotalBytes: 4 * 2 ** 30 };
  }

  /** Textures, or arrays, that are live now: those of buffers that a kernel has used. */
  get liveTextures(): number {
    return this.#engine.live;
  }

  alloc(byteLength: number): DeviceBuffer {
    if (this.#disposed) throw new DeviceError("gpujs: the backend was used after dispose().");
    const { maxBufferBytes, maxTotalBytes } = this.limits;
    if (byteLength > maxBufferBytes || this.#liveBytes + byteLength > maxTotalBytes)
      throw new OutOfMemoryError(
        this.name,
        byteLength,
        this.#liveBytes,
        `no room for ${byteLength} bytes: ${this.#liveBytes} of ${maxTotalBytes} are in use, and one buffer takes ${maxBufferBytes} at most.`,
      );
    const buffer = new GpuJsBuffer(byteLength, this.#engine);
    this.#live.add(buffer);
    this.#liveBytes += byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const own = this.#own(buffer);
    own.drop();
    this.#live.delete(own);
    this.#liveBytes -= own.byteLength;
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    this.#own(buffer).write(bytes, offset);
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return this.#own(buffer).read(offset, byteLength);
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const kernels: Readonly<Record<string, Kernel<Gpu, never>>> = gpuJsKernels;
    const kernel = Object.hasOwn(kernels, op) ? kernels[op] : undefined;
    if (!kernel) throw new DeviceError(`gpujs: there is no kernel "${op}".`);
    for (const { buffer } of [...inputs, ...outputs]) this.#own(buffer);
    try {
      kernel(this.#gpu, inputs, outputs, attrs as never);
    } finally {
      this.#gpu.end();
    }
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  memory(): MemoryUse {
    return { liveBuffers: this.#live.size, liveBytes: this.#liveBytes, peakBytes: this.#peakBytes };
  }

  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#live) this.free(buffer);
    this.#engine.dispose();
  }

  /** @throws DeviceError unless the buffer was made here and not freed */
  #own(buffer: DeviceBuffer): GpuJsBuffer {
    if (buffer instanceof GpuJsBuffer && this.#live.has(buffer)) return buffer;
    throw new DeviceError(`gpujs: a buffer of ${buffer.byteLength} bytes was used that is not live here: freed, or of another backend.`);
  }
}
