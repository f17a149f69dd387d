// The books of a backend whose buffers are objects of its own: which are live, what they take, and the most they took.
import type { DeviceBuffer, Limits, MemoryUse } from "./backend.ts";
import { DeviceError, OutOfMemoryError } from "./error.ts";

/** Buffers of one kind that a backend has made and not freed. */
export class LiveBuffers<B extends DeviceBuffer> {
  readonly #live = new Set<B>();
  #liveBytes = 0;
  #peakBytes = 0;
  #closed = false;

  /**
   * @param backend its name, for errors
   * @param make a buffer of so many bytes
   * @param release what freeing one of them takes besides
   */
  constructor(
    readonly backend: string,
    readonly limits: Limits,
    readonly make: (byteLength: number) => B,
    readonly release: (buffer: B) => void = () => {},
  ) {}

  /** @throws OutOfMemoryError above the limits, DeviceError after close() */
  alloc(byteLength: number): B {
    if (this.#closed) throw new DeviceError(`${this.backend}: the backend was used after dispose().`);
    const { maxBufferBytes, maxTotalBytes } = this.limits;
    if (byteLength > maxBufferBytes || this.#liveBytes + byteLength > maxTotalBytes)
      throw new OutOfMemoryError(
        this.backend,
        byteLength,
        this.#liveBytes,
        `no room for ${byteLength} bytes: ${this.#liveBytes} of ${maxTotalBytes} are in use, and one buffer takes ${maxBufferBytes} at most.`,
      );
    const buffer = this.make(byteLength);
    this.#live.add(buffer);
    this.#liveBytes += byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  /** @throws DeviceError unless the buffer is one of these and live */
  free(buffer: DeviceBuffer): void {
    const own = this.own(buffer);
    this.release(own);
    this.#live.delete(own);
    this.#liveBytes -= own.byteLength;
  }

  /** The buffer as what it was made. @throws DeviceError unless it is one of these and live */
  own(buffer: DeviceBuffer): B {
    if (this.#live.has(buffer as B)) return buffer as B;
    throw new DeviceError(
      `${this.backend}: a buffer of ${buffer.byteLength} bytes was used that is not live here: freed, or of another backend.`,
    );
  }

  /** How many are live, their bytes, and the most there were since the last resetPeak. */
  memory(): MemoryUse {
    return { liveBuffers: this.#live.size, liveBytes: this.#liveBytes, peakBytes: this.#peakBytes };
  }

  /** Begins to measure the peak anew, from what is live. */
  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  /** Frees all that are live; no more are made. May be called twice. */
  close(): void {
    this.#closed = true;
    for (const buffer of this.#live) this.free(buffer);
  }
}
