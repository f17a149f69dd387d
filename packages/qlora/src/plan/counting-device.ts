// A device without bytes: programs run on it as on any other, no kernel does, and it counts. So a forecast is the real program on this device,
// and cannot forget what the program holds.
import type { Backend, DeviceBuffer, Limits, MemoryUse, View } from "@qlora-js/core";
import { type Component, type ComponentBytes, noBytes } from "./component.ts";
import { cpuWorkspace, type Workspace } from "./workspace.ts";

/** What the CPU backend rounds a buffer up to: a cache line. */
const ALIGN = 64;

class CountedBuffer implements DeviceBuffer {
  readonly size: number;
  live = true;
  constructor(
    readonly byteLength: number,
    public component: Component,
  ) {
    this.size = Math.max(ALIGN, Math.ceil(byteLength / ALIGN) * ALIGN);
  }
}

export class CountingDevice implements Backend {
  readonly name = "counting";
  readonly limits: Limits = { maxBufferBytes: Number.POSITIVE_INFINITY, maxTotalBytes: Number.POSITIVE_INFINITY };
  /** Buffers in the order they came and went: a buffer's first entry is its birth, the second its end. */
  readonly #log: CountedBuffer[] = [];
  readonly #live = new Set<CountedBuffer>();
  readonly #onRun: Backend["run"];
  #component: Component = "transient";
  #liveBytes = 0;
  #peakBytes = 0;

  /**
   * @param onRun hears of every run: a device that compiles its programs ahead learns here which
   * @param workspace of the kernels that will run; the CPU's by default
   */
  constructor(
    onRun: Backend["run"] = () => {},
    readonly workspace: Workspace = cpuWorkspace,
  ) {
    this.#onRun = onRun;
  }

  alloc(byteLength: number): DeviceBuffer {
    const buffer = new CountedBuffer(byteLength, this.#component);
    this.#log.push(buffer);
    this.#live.add(buffer);
    this.#liveBytes += buffer.size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const own = buffer as CountedBuffer;
    this.#log.push(own);
    this.#live.delete(own);
    this.#liveBytes -= own.size;
  }

  write(): void {}

  async read(buffer: DeviceBuffer, offset = 0, byteLength = buffer.byteLength - offset): Promise<Uint8Array> {
    return new Uint8Array(byteLength);
  }

  run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    this.#onRun(op, inputs, outputs, attrs);
    const component = op === "linearCrossEntropy" ? "head" : "transient";
    if (component === "head") this.label(outputs, component);
    const bytes = this.workspace(op, inputs, outputs, attrs);
    if (bytes > 0) this.free(this.as(component, () => this.alloc(bytes)));
  }

  async flush(): Promise<void> {}

  memory(): MemoryUse {
    return { liveBuffers: this.#live.size, liveBytes: this.#liveBytes, peakBytes: this.#peakBytes };
  }

  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  dispose(): void {
    this.#log.length = 0;
    this.#live.clear();
  }

  /** What fn allocates counts as this. */
  as<T>(component: Component, fn: () => T): T {
    const before = this.#component;
    this.#component = component;
    try {
      return fn();
    } finally {
      this.#component = before;
    }
  }

  /** These buffers turn out to be this. */
  label(views: readonly View[], component: Component): void {
    for (const { buffer } of views) this.#label(buffer, component);
  }

  /** All that lives now and is not known for something else turns out to be this. Returns its bytes. */
  labelRest(component: Component): number {
    let bytes = 0;
    for (const buffer of this.#live) {
      if (buffer.component !== "transient") continue;
      buffer.component = component;
      bytes += buffer.size;
    }
    return bytes;
  }

  /** Bytes by component at the moment when most were live, and the most that each component had; with what is known of each buffer by now. */
  peak(): { readonly at: ComponentBytes; readonly largest: ComponentBytes } {
    const [current, largest] = [noBytes(), noBytes()];
    let [bytes, most, at] = [0, -1, noBytes()];
    const born = new Set<CountedBuffer>();
    for (const buffer of this.#log) {
      const change = born.has(buffer) ? -buffer.size : buffer.size;
      born.add(buffer);
      const { component } = buffer;
      current[component] += change;
      largest[component] = Math.max(largest[component], current[component]);
      bytes += change;
      if (bytes > most) [most, at] = [bytes, { ...current }];
    }
    return { at, largest };
  }

  #label(buffer: DeviceBuffer, component: Component): void {
    (buffer as CountedBuffer).component = component;
  }
}
