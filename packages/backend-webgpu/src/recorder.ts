// Commands on their way to the device: one encoder, one compute pass while nothing but kernels runs, submitted when somebody reads or when the recording
// has gone on for a while. The numbers of all dispatches lie in one ring of uniform bytes, written once a submit.
import { type Dispatch, Float } from "./dispatch.ts";
import { Part } from "./part.ts";
import { sizeOfGrid, windowsOf } from "./program-source.ts";
import type { Program } from "./programs.ts";
import { USAGE } from "./usage.ts";

const RING_BYTES = 1 << 18;
const BUDGET_MS = 20; // a device that waits does nothing; a submit for each kernel costs more than the kernel

/** What was done since the recorder was made. */
export interface RecorderCounters {
  readonly dispatches: number;
  readonly submits: number;
  readonly bytesWritten: number;
  readonly bytesRead: number;
}

/** Where a part begins and, in whole vectors, ends. */
const boundsOf = ({ offset, byteLength }: Part): { offset: number; end: number } => ({
  offset,
  end: offset + Math.ceil(byteLength / 16) * 16,
});

export class Recorder {
  readonly #ring: GPUBuffer;
  readonly #numbers = new ArrayBuffer(RING_BYTES);
  readonly #u32 = new Uint32Array(this.#numbers);
  readonly #f32 = new Float32Array(this.#numbers);
  #ringEnd = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #openedAt = 0;
  #used = new Set<GPUBuffer>();
  #running: string[] = [];
  #counters = { dispatches: 0, submits: 0, bytesWritten: 0, bytesRead: 0 };

  constructor(
    readonly device: GPUDevice,
    readonly maxBindingBytes: number,
    readonly maxWorkgroups: number,
    readonly uniformStep: number,
  ) {
    this.#ring = device.createBuffer({ size: RING_BYTES, usage: USAGE.uniform | USAGE.copyTarget, label: "params" });
  }

  get counters(): RecorderCounters {
    return { ...this.#counters };
  }

  /** Names of the kernels in the last submit and since. */
  get running(): readonly string[] {
    return this.#running;
  }

  dispatch(dispatch: Dispatch, program: Program, buffer: (view: Dispatch["reads"][string]) => GPUBuffer): void {
    const { count, workgroups } = sizeOfGrid(dispatch.grid);
    if (count === 0) return;
    const offset = this.#params(dispatch, count);
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: this.#ring, size: this.#paramsBytes(dispatch) } }];
    for (const view of Object.values(dispatch.reads)) {
      const gpu = buffer(view);
      const { offset, end } = view.buffer instanceof Part ? boundsOf(view.buffer) : { offset: 0, end: gpu.size };
      const windows = windowsOf(view, this.maxBindingBytes);
      for (let w = 0; w < windows; w++) {
        const from = offset + w * this.maxBindingBytes;
        entries.push({
          binding: entries.length,
          resource: { buffer: gpu, offset: from, size: Math.min(end - from, this.maxBindingBytes) },
        });
      }
      this.#used.add(gpu);
    }
    for (const view of Object.values(dispatch.writes)) {
      const gpu = buffer(view);
      entries.push({ binding: entries.length, resource: { buffer: gpu } });
      this.#used.add(gpu);
    }
    const pass = this.#computePass();
    pass.setPipeline(program.pipeline);
    pass.setBindGroup(0, this.device.createBindGroup({ layout: program.layout, entries }), [offset]);
    const x = Math.min(workgroups, this.maxWorkgroups);
    pass.dispatchWorkgroups(x, Math.ceil(workgroups / x));
    this.#running.push(dispatch.name);
    this.#counters.dispatches++;
    if (performance.now() - this.#openedAt > BUDGET_MS) this.submit();
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, byteLength: number): void {
    if (byteLength === 0) return;
    this.#endPass();
    this.#open().copyBufferToBuffer(from, fromOffset, to, toOffset, byteLength);
    this.#used.add(from).add(to);
  }

  /** Bytes from the host, after all that was recorded before and ahead of all that comes. */
  write(to: GPUBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#used.has(to)) this.submit();
    this.device.queue.writeBuffer(to, offset, bytes);
    this.#counters.bytesWritten += bytes.length;
  }

  noteRead(byteLength: number): void {
    this.#counters.bytesRead += byteLength;
  }

  submit(): void {
    if (!this.#encoder) return;
    this.#endPass();
    if (this.#ringEnd > 0) this.device.queue.writeBuffer(this.#ring, 0, this.#numbers, 0, this.#ringEnd);
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#ringEnd = 0;
    this.#used.clear();
    this.#counters.submits++;
  }

  /** After the device has finished what was submitted. */
  finished(): void {
    if (!this.#encoder) this.#running = [];
  }

  dispose(): void {
    this.#ring.destroy();
  }

  #paramsBytes({ params = {} }: Dispatch): number {
    return (Object.keys(params).length + 1) * 4;
  }

  /** Puts a dispatch's numbers into the ring. Returns where. */
  #params(dispatch: Dispatch, count: number): number {
    const bytes = Math.ceil(this.#paramsBytes(dispatch) / this.uniformStep) * this.uniformStep;
    if (this.#ringEnd + bytes > RING_BYTES) this.submit();
    const offset = this.#ringEnd;
    let at = offset / 4;
    for (const value of Object.values(dispatch.params ?? {})) {
      if (value instanceof Float) this.#f32[at++] = value.value;
      else this.#u32[at++] = value;
    }
    this.#u32[at] = count;
    this.#ringEnd += bytes;
    return offset;
  }

  #open(): GPUCommandEncoder {
    if (!this.#encoder) {
      this.#encoder = this.device.createCommandEncoder();
      this.#openedAt = performance.now();
    }
    return this.#encoder;
  }

  #computePass(): GPUComputePassEncoder {
    this.#pass ??= this.#open().beginComputePass();
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }
}
