// The allocator over one WebAssembly.Memory. It hands out pointers, 64-byte aligned, and keeps what is free as regions that are joined the moment they
// touch; a request takes the smallest region that holds it, and only where none does the memory grows, by what is missing. Training asks for the
// same sizes each step, so after the first step every request finds the region of the step before, and the memory stays as it is.
import { DeviceError, OutOfMemoryError } from "@qlora-js/core";

const ALIGN = 64; // a cache line: no two buffers share one, and v128 loads never straddle
const WASM_PAGE = 65536;
const GROWTH = 2 ** 20; // pages that nobody has touched are not resident, so rounding up costs no memory, and calls to grow() are few

interface Region {
  start: number;
  size: number;
}

export class Memory {
  /** Free regions below `#top`, ascending by size and then by address. */
  readonly #free: Region[] = [];
  readonly #freeByStart = new Map<number, Region>();
  readonly #freeByEnd = new Map<number, Region>();
  readonly #live = new Map<number, number>(); // pointer -> size
  /** Everything from here on is free. */
  #top: number;
  #buffer: ArrayBufferLike;
  #liveBytes = 0;
  #peakBytes = 0;

  constructor(
    readonly wasm: WebAssembly.Memory,
    /** Where the heap begins: above what the module and the thread pool keep. */
    readonly base: number,
    readonly maximumBytes: number,
  ) {
    this.base = roundUp(base, ALIGN);
    this.#top = this.base;
    this.#buffer = wasm.buffer;
  }

  /** The memory's bytes as they are now. Arrays over it made before the last allocate() may be too short, or detached. */
  get buffer(): ArrayBufferLike {
    return this.#buffer;
  }
  get liveBuffers(): number {
    return this.#live.size;
  }
  get liveBytes(): number {
    return this.#liveBytes;
  }
  get peakBytes(): number {
    return this.#peakBytes;
  }
  /** How many pieces the free room below the memory's end is in, the end's own included. */
  get freeRegions(): number {
    return this.#free.length + (this.#top < this.#buffer.byteLength ? 1 : 0);
  }
  /** Bytes up to the highest one in use. */
  get extentBytes(): number {
    return this.#top;
  }

  resetPeak(): void {
    this.#peakBytes = this.#liveBytes;
  }

  /** A pointer to room for `byteLength` bytes of unspecified contents. @throws OutOfMemoryError */
  allocate(byteLength: number): number {
    const size = Math.max(roundUp(byteLength, ALIGN), ALIGN);
    const pointer = this.#takeFree(size) ?? this.#takeTop(size, byteLength);
    this.#live.set(pointer, size);
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return pointer;
  }

  /** @throws DeviceError if nothing live begins there */
  free(pointer: number): void {
    const size = this.#live.get(pointer);
    if (size === undefined) throw new DeviceError(`cpu: nothing live begins at ${pointer}; it was freed before, or never allocated.`);
    this.#live.delete(pointer);
    this.#liveBytes -= size;
    const region = { start: pointer, size };
    const before = this.#freeByEnd.get(pointer);
    if (before) {
      this.#remove(before);
      region.start = before.start;
      region.size += before.size;
    }
    const after = this.#freeByStart.get(pointer + size);
    if (after) {
      this.#remove(after);
      region.size += after.size;
    }
    if (region.start + region.size === this.#top) this.#top = region.start;
    else this.#insert(region);
  }

  #takeFree(size: number): number | undefined {
    const region = this.#free[this.#positionOf(size, 0)];
    if (!region) return undefined;
    this.#remove(region);
    if (region.size > size) this.#insert({ start: region.start + size, size: region.size - size });
    return region.start;
  }

  #takeTop(size: number, asked: number): number {
    const pointer = this.#top;
    const missing = pointer + size - this.#buffer.byteLength;
    if (missing > 0) this.#grow(missing, asked);
    this.#top = pointer + size;
    return pointer;
  }

  #grow(missing: number, asked: number): void {
    const room = this.maximumBytes - this.#buffer.byteLength;
    try {
      if (missing > room) throw new RangeError("beyond the maximum");
      this.wasm.grow(Math.min(roundUp(missing, GROWTH), room) / WASM_PAGE);
    } catch (cause) {
      throw new OutOfMemoryError(
        "cpu",
        asked,
        this.#liveBytes,
        `no room for ${asked} bytes: ${this.#liveBytes} are in use, the memory has ${this.#buffer.byteLength} and may have ${this.maximumBytes}. ` +
          `Use a smaller batch, shorter rows or a pager budget. (${String(cause)})`,
      );
    }
    this.#buffer = this.wasm.buffer;
  }

  #insert(region: Region): void {
    this.#free.splice(this.#positionOf(region.size, region.start), 0, region);
    this.#freeByStart.set(region.start, region);
    this.#freeByEnd.set(region.start + region.size, region);
  }

  #remove(region: Region): void {
    this.#free.splice(this.#positionOf(region.size, region.start), 1);
    this.#freeByStart.delete(region.start);
    this.#freeByEnd.delete(region.start + region.size);
  }

  /** Where a region of this size and start is, or would be: the first that is not smaller, nor as large and lower. */
  #positionOf(size: number, start: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { size: s, start: a } = this.#free[middle]!;
      if (s < size || (s === size && a < start)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
