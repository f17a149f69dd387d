// What a device is: bytes, and kernels that run on them in call order. A backend knows nothing of gradients, parameters or models, and validates
// nothing: `infer` of the op has done that. It imports no implementation; implementations import it.
import type { DType } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** An opaque handle; only the backend that made it looks inside. */
export interface DeviceBuffer {
  readonly byteLength: number;
}

/** How one run of a kernel sees a buffer: contiguous, row-major, from its first byte. */
export interface View {
  readonly buffer: DeviceBuffer;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** What a backend holds at this moment; `npm test` checks after each test that nothing stays. */
export interface MemoryUse {
  readonly liveBuffers: number;
  readonly liveBytes: number;
  /** The most bytes live at one time since the backend was made, or since resetPeak(). */
  readonly peakBytes: number;
}

/** What a device can hold at most. */
export interface Limits {
  /** The largest single buffer. */
  readonly maxBufferBytes: number;
  /** Room for all buffers together. */
  readonly maxTotalBytes: number;
}

/** A device: bytes, and kernels that run on them in call order. It knows nothing of gradients or models, and checks nothing. */
export interface Backend {
  readonly name: string;
  readonly limits: Limits;
  /** Contents are unspecified. @throws OutOfMemoryError */
  alloc(byteLength: number): DeviceBuffer;
  /** Gives a buffer's bytes back. */
  free(buffer: DeviceBuffer): void;
  /** Host to device, ordered with the runs before and after it. `bytes` may be reused when it returns. */
  write(buffer: DeviceBuffer, bytes: Uint8Array, offset?: number): void;
  /** A copy of the bytes. The only place that waits for the device. */
  read(buffer: DeviceBuffer, offset?: number, byteLength?: number): Promise<Uint8Array>;
  /** Enqueues one kernel; runs go in call order. Never allocates its outputs; an output may be an input (updates in place). */
  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void;
  /** Resolves when all that was enqueued is done. */
  flush(): Promise<void>;
  /** What is allocated now, and the most that was. */
  memory(): MemoryUse;
  /** Counts the peak anew, from what is allocated now. */
  resetPeak(): void;
  /** Releases everything. May be called twice. */
  dispose(): void;
}
