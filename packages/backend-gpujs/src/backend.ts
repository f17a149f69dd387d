// A backend over gpu.js. A buffer's bytes are numbers on the device while kernels use them; a kernel makes new numbers, which take the place of an output's old
// ones, so that nothing is ever changed in place.
import {
  type Backend,
  type DeviceBuffer,
  DeviceError,
  type Kernel,
  type Limits,
  LiveBuffers,
  type MemoryUse,
  type View,
} from "@qlora-js/core";
import { GpuJsBuffer } from "./buffer.ts";
import type { BytesInUse, Engine } from "./engine.ts";
import { Gpu } from "./gpu.ts";
import { gpuJsKernels } from "./kernels/index.ts";
import { ON_HOST, type OnHost } from "./on-host.ts";

/** What gpu.js makes of the kernels: GLSL in WebGL2, JavaScript, or WebAssembly. */
export type GpuJsMode = "webgl2" | "cpu" | "webasm";

/** What this backend is here. */
export interface GpuJsFacts {
  readonly mode: GpuJsMode;
  /** What computes, as it names itself. */
  readonly device: string;
  /** A GPU in software, which is slower than WebAssembly; of `webgl2` alone. */
  readonly software: boolean;
}

/** What kernels can say here, and what not. */
export interface GpuJsCapabilities {
  /** What is left to the host, each with its reason. */
  readonly onHost: readonly OnHost[];
  /** Whole numbers from here on may be rounded, ids and positions among them: a value is an f32. */
  readonly wholeNumbersBelow: number;
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i;

/** gpu.js as a device: values are textures, or arrays where there is no WebGL2. */
export class GpuJsBackend implements Backend {
  readonly name = "gpujs";
  readonly limits: Limits;
  readonly facts: GpuJsFacts;
  readonly capabilities: GpuJsCapabilities = { onHost: ON_HOST, wholeNumbersBelow: 2 ** 24 };
  readonly #engine: Engine;
  readonly #gpu: Gpu;
  readonly #buffers: LiveBuffers<GpuJsBuffer>;
  #disposed = false;

  constructor(mode: GpuJsMode, engine: Engine) {
    const { device } = engine;
    this.facts = { mode, device, software: SOFTWARE.test(device) };
    this.#engine = engine;
    this.#gpu = new Gpu(engine);
    this.limits = { maxBufferBytes: engine.mostNumbers, maxTotalBytes: 4 * 2 ** 30 };
    const make = (byteLength: number): GpuJsBuffer => new GpuJsBuffer(byteLength, engine);
    this.#buffers = new LiveBuffers(this.name, this.limits, make, (buffer) => buffer.drop());
  }

  /** Textures, or arrays, that are live now: those of buffers that a kernel has used. */
  get liveTextures(): number {
    return this.#engine.live;
  }

  /** What they take on the device, in bytes: 4 for each value, whatever its dtype, and rows of texels are full. */
  get textureBytes(): BytesInUse {
    return this.#engine.bytes;
  }

  alloc(byteLength: number): DeviceBuffer {
    return this.#buffers.alloc(byteLength);
  }

  free(buffer: DeviceBuffer): void {
    if (this.#disposed) return; // it went with all others
    this.#buffers.free(buffer);
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    this.#buffers.own(buffer).write(bytes, offset);
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return this.#buffers.own(buffer).read(offset, byteLength);
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const kernels: Readonly<Record<string, Kernel<Gpu, never>>> = gpuJsKernels;
    const kernel = Object.hasOwn(kernels, op) ? kernels[op] : undefined;
    if (!kernel) throw new DeviceError(`gpujs: there is no kernel "${op}".`);
    for (const { buffer } of [...inputs, ...outputs]) this.#buffers.own(buffer);
    this.#engine.begin(op);
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
    return this.#buffers.memory();
  }

  resetPeak(): void {
    this.#buffers.resetPeak();
    this.#engine.resetPeak();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#buffers.close();
    this.#engine.dispose();
  }
}
