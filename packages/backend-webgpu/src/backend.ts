// The GPU as a device. run() records, and the device follows at its own pace; read() and flush() wait for it, and what went wrong meanwhile comes out there.
import {
  type Backend,
  BYTES,
  type DeviceBuffer,
  DeviceError,
  DeviceLostError,
  type DType,
  type Limits,
  type MemoryUse,
  sizeOf,
  type View,
} from "@qlora-js/core";
import type { AdapterFacts } from "./adapter-facts.ts";
import { BufferPool, WebGpuBuffer } from "./buffer-pool.ts";
import { checkBindings } from "./check-bindings.ts";
import type { Dispatch, Gpu } from "./dispatch.ts";
import { kernelOf } from "./kernels/kernel-of.ts";
import { Part } from "./part.ts";
import { Programs } from "./programs.ts";
import { Recorder, type RecorderCounters } from "./recorder.ts";
import { MAP_READ, USAGE } from "./usage.ts";

/** The GPU as a device. `run` records, and `read` and `flush` wait; what failed on the way comes out there. */
export class WebGpuBackend implements Backend {
  readonly name = "webgpu";
  readonly limits: Limits;
  readonly #pool: BufferPool;
  readonly #programs: Programs;
  readonly #recorder: Recorder;
  readonly #view: Gpu;
  #temporaries: WebGpuBuffer[] = [];
  #lost: GPUDeviceLostInfo | undefined;
  #uncaptured: GPUError | undefined;
  #disposed = false;

  /** For createWebGpuBackend, which finds the device. */
  constructor(
    /** Held so that it lives as long as the device: Dawn's process hangs or crashes when it is collected before. */
    readonly gpu: GPU,
    readonly device: GPUDevice,
    readonly facts: AdapterFacts,
    maxBytes: number,
    /** How the device is waited for. */
    readonly wait: <T>(waiting: Promise<T>) => Promise<T> = (waiting) => waiting,
  ) {
    this.limits = { maxBufferBytes: facts.maxBufferBytes, maxTotalBytes: maxBytes };
    this.#pool = new BufferPool(device, facts.maxBufferBytes, maxBytes);
    this.#programs = new Programs(device, facts.maxBindingBytes);
    this.#recorder = new Recorder(device, facts.maxBindingBytes, facts.maxWorkgroups, device.limits.minUniformBufferOffsetAlignment);
    this.#view = this.#kernelsView();
    device.lost.then((info) => {
      this.#lost = info;
    });
    device.addEventListener("uncapturederror", (event) => {
      this.#uncaptured ??= event.error;
    });
  }

  /** What the backend has asked of the device so far. */
  get counters(): RecorderCounters & { readonly programs: number; readonly pooledBytes: number } {
    return { ...this.#recorder.counters, programs: this.#programs.count, pooledBytes: this.#pool.freeBytes };
  }

  alloc(byteLength: number): DeviceBuffer {
    this.#checkUsable();
    return this.#take(byteLength);
  }

  free(buffer: DeviceBuffer): void {
    if (this.#disposed) return; // it went with all others
    this.#pool.give(this.#own(buffer));
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array, offset = 0): void {
    this.#checkUsable();
    const own = this.#own(buffer);
    this.#checkRange(own, offset, bytes.length);
    if (bytes.length === 0) return;
    if (offset % 4 !== 0 || (bytes.length % 4 !== 0 && offset + bytes.length !== own.byteLength))
      throw new DeviceError(
        `webgpu: bytes ${offset} to ${offset + bytes.length} are written; both ends must be multiples of 4, or the buffer's end.`,
      );
    this.#recorder.write(own.gpu, offset, wholeWords(bytes));
  }

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    this.#checkUsable();
    const own = this.#own(buffer);
    this.#checkRange(own, offset, byteLength);
    const from = Math.floor(offset / 4) * 4;
    const size = Math.max(4, Math.ceil((offset + byteLength) / 4) * 4 - from);
    const staging = this.device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
    try {
      this.#recorder.copy(own.gpu, from, staging, 0, size);
      this.#recorder.noteRead(size);
      this.#recorder.submit();
      await this.#settle(staging.mapAsync(MAP_READ));
      return new Uint8Array(staging.getMappedRange(), offset - from, byteLength).slice();
    } finally {
      staging.destroy();
    }
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    this.#checkUsable();
    const kernel = kernelOf(op);
    for (const { buffer } of [...inputs, ...outputs]) this.#own(buffer);
    try {
      kernel(this.#view, inputs, outputs, attrs as never);
    } finally {
      for (const temporary of this.#temporaries.splice(0)) this.#pool.give(temporary);
    }
  }

  /** Notes the programs that a run would take, for `compile`; buffers need only a length. */
  note(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    const noting: Gpu = {
      facts: this.facts,
      dispatch: (dispatch) => this.#programs.note(dispatch),
      copy: () => {},
      temporary: (dtype, shape) => ({ buffer: { byteLength: sizeOf(shape) * BYTES[dtype] }, dtype, shape }),
    };
    kernelOf(op)(noting, inputs, outputs, attrs as never);
  }

  /** Compiles what was noted, several programs at a time: before the first step, instead of during it. @throws ShaderError, DeviceLostError */
  async compile(onProgress?: (done: number, of: number) => void): Promise<void> {
    this.#checkUsable();
    await this.wait(this.#programs.compile(onProgress)).catch((error: Error) => this.#explain(error));
  }

  async flush(): Promise<void> {
    this.#checkUsable();
    this.#recorder.submit();
    await this.#settle(this.device.queue.onSubmittedWorkDone());
  }

  memory(): MemoryUse {
    return this.#pool.use;
  }

  resetPeak(): void {
    this.#pool.resetPeak();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#pool.dispose();
    this.#recorder.dispose();
    this.device.destroy();
  }

  #kernelsView(): Gpu {
    const own = ({ buffer }: View): GPUBuffer => this.#own(buffer instanceof Part ? buffer.whole : buffer).gpu;
    const { maxBindingBytes, maxStorageBuffers } = this.facts;
    const limits = { maxBindingBytes, maxStorageBuffers, maxWrittenBytes: this.device.limits.maxStorageBufferBindingSize };
    return {
      facts: this.facts,
      dispatch: (dispatch: Dispatch) => {
        checkBindings(dispatch, limits);
        this.#recorder.dispatch(dispatch, this.#programs.of(dispatch), own);
      },
      copy: (from, fromOffset, to, toOffset, byteLength) => this.#recorder.copy(own(from), fromOffset, own(to), toOffset, byteLength),
      temporary: (dtype: DType, shape) => {
        const buffer = this.#take(sizeOf(shape) * BYTES[dtype]);
        this.#temporaries.push(buffer);
        return { buffer, dtype, shape };
      },
    };
  }

  #take(byteLength: number): WebGpuBuffer {
    if (this.#pool.isCrowded(byteLength)) {
      this.#recorder.submit(); // nothing may be destroyed that waits to be submitted
      this.#pool.trim();
    }
    return this.#pool.take(byteLength);
  }

  /** Waits for the device. @throws what it found wrong meanwhile */
  async #settle(waiting: Promise<void>): Promise<void> {
    const failed = await this.wait(waiting).then(
      () => undefined,
      (error: Error) => error,
    );
    // that the device is lost may be told a moment after what was lost with it
    if (failed) await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve))]);
    await this.#check();
    if (failed) this.#explain(new DeviceError(`webgpu: the device did not do what was asked of it. ${failed.message}`, { cause: failed }));
  }

  /** @throws what the device found wrong since the last time somebody waited for it */
  async #check(): Promise<void> {
    if (this.#lost) this.#explain(new Error(this.#lost.message));
    try {
      await this.#programs.check();
      await this.#pool.check();
      const error = this.#uncaptured;
      const running = this.#recorder.running.slice(-8).join(", ");
      if (error) throw new DeviceError(`webgpu: ${error.message} (kernels on their way: ${running})`);
    } finally {
      this.#uncaptured = undefined; // what came of a program or buffer that was refused is told already
      this.#recorder.finished();
    }
  }

  #explain(error: Error): never {
    if (this.#disposed) throw new DeviceError("webgpu: the backend was disposed while something waited for it.");
    throw this.#lost ? new DeviceLostError(this.name, this.#lost.message || this.#lost.reason, this.#recorder.running) : error;
  }

  #checkUsable(): void {
    if (this.#disposed) throw new DeviceError("webgpu: the backend was used after dispose().");
    if (this.#lost) this.#explain(new Error(this.#lost.message));
  }

  #checkRange({ byteLength: size }: WebGpuBuffer, offset: number, byteLength: number): void {
    if (offset < 0 || byteLength < 0 || offset + byteLength > size)
      throw new DeviceError(`webgpu: bytes ${offset} to ${offset + byteLength} are not within a buffer of ${size}.`);
  }

  /** @throws DeviceError unless the buffer was made here and not freed */
  #own(buffer: DeviceBuffer): WebGpuBuffer {
    if (buffer instanceof WebGpuBuffer && buffer.pool === this.#pool && buffer.live) return buffer;
    throw new DeviceError(`webgpu: a buffer of ${buffer.byteLength} bytes was used that is not live here: freed, or of another backend.`);
  }
}

/** A copy where the device cannot take the bytes as they are: shared with other threads, or no whole number of words. */
function wholeWords(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length % 4 === 0 && bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
