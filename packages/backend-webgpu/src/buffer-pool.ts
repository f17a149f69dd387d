// Device buffers by exact size: training asks for the same sizes at every step, so what is freed is what is needed next. A buffer goes back at once, because
// the device runs everything in order.
import { type DeviceBuffer, OutOfMemoryError } from "@qlora-js/core";
import { USAGE } from "./usage.ts";

const GRANULE = 16; // bytes: what a vec4 binding needs

const sizeOnDevice = (byteLength: number): number => Math.max(GRANULE, Math.ceil(byteLength / GRANULE) * GRANULE);

/** One tensor's bytes on the device. */
export class WebGpuBuffer implements DeviceBuffer {
  live = true;

  constructor(
    readonly pool: BufferPool,
    readonly byteLength: number,
    readonly gpu: GPUBuffer,
  ) {}
}

export class BufferPool {
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #live = new Set<WebGpuBuffer>();
  /** What the device had no room for: a buffer in name, never to be used again. */
  readonly #hollow = new WeakSet<GPUBuffer>();
  readonly #refused: Promise<OutOfMemoryError | undefined>[] = [];
  #liveBytes = 0;
  #peakBytes = 0;
  #freeBytes = 0;

  constructor(
    readonly device: GPUDevice,
    readonly maxBufferBytes: number,
    readonly maxTotalBytes: number,
  ) {}

  get use(): { liveBuffers: number; liveBytes: number; peakBytes: number } {
    return { liveBuffers: this.#live.size, liveBytes: this.#liveBytes, peakBytes: this.#peakBytes };
  }

  /** Bytes of buffers that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Whether a buffer of this size would only find room if what waits to be used again were given back. */
  isCrowded(byteLength: number): boolean {
    const size = sizeOnDevice(byteLength);
    return this.#freeBytes > 0 && !this.#free.get(size)?.length && this.#liveBytes + this.#freeBytes + size > this.maxTotalBytes;
  }

  /** @throws OutOfMemoryError at once where the size is too large; where the device has no room, out of `check` */
  take(byteLength: number): WebGpuBuffer {
    const size = sizeOnDevice(byteLength);
    if (size > this.maxBufferBytes || this.#liveBytes + byteLength > this.maxTotalBytes) throw this.#tooLarge(byteLength);
    const buffer = new WebGpuBuffer(this, byteLength, this.#reuse(size) ?? this.#create(size, byteLength));
    this.#live.add(buffer);
    this.#liveBytes += byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  give(buffer: WebGpuBuffer): void {
    buffer.live = false;
    this.#live.delete(buffer);
    this.#liveBytes -= buffer.byteLength;
    if (this.#hollow.has(buffer.gpu)) return;
    const { size } = buffer.gpu;
    const shelf = this.#free.get(size);
    if (shelf) shelf.push(buffer.gpu);
    else this.#free.set(size, [buffer.gpu]);
    this.#freeBytes += size;
  }

  /** Gives what nobody uses back to the device. Nothing that waits to be submitted may use it. */
  trim(): void {
    for (const shelf of this.#free.values()) for (const buffer of shelf) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }

  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  dispose(): void {
    for (const buffer of [...this.#live]) this.give(buffer);
    this.trim();
  }

  /** @throws OutOfMemoryError of the first buffer that the device had no room for since the last call */
  async check(): Promise<void> {
    for (const refused of this.#refused.splice(0)) {
      const error = await refused;
      if (error) throw error;
    }
  }

  #reuse(size: number): GPUBuffer | undefined {
    const buffer = this.#free.get(size)?.pop();
    if (buffer) this.#freeBytes -= size;
    return buffer;
  }

  #create(size: number, byteLength: number): GPUBuffer {
    this.device.pushErrorScope("out-of-memory");
    const buffer = this.device.createBuffer({ size, usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget });
    const inUse = this.#liveBytes;
    const refused = this.device.popErrorScope().then((error) => {
      if (!error) return undefined;
      this.#disown(buffer);
      const what = `the device has no room for ${byteLength} bytes more; ${inUse} are in use, and ${this.#freeBytes} wait to be used again.`;
      return new OutOfMemoryError("webgpu", byteLength, inUse, what);
    });
    this.#refused.push(refused);
    return buffer;
  }

  #disown(buffer: GPUBuffer): void {
    this.#hollow.add(buffer);
    const shelf = this.#free.get(buffer.size);
    const at = shelf?.indexOf(buffer) ?? -1;
    if (at < 0) return;
    shelf?.splice(at, 1);
    this.#freeBytes -= buffer.size;
  }

  #tooLarge(byteLength: number): OutOfMemoryError {
    const what =
      byteLength > this.maxBufferBytes
        ? `no room for ${byteLength} bytes: one buffer of this device takes ${this.maxBufferBytes} at most.`
        : `no room for ${byteLength} bytes: ${this.#liveBytes} of ${this.maxTotalBytes} are in use.`;
    return new OutOfMemoryError("webgpu", byteLength, this.#liveBytes, what);
  }
}
