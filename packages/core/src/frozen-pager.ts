// Frozen weights under a budget of device bytes: their bytes stay on the host, a page (a layer) at a time is copied to the device when an op reads it, and
// the page used longest ago is dropped. Nothing is written back, because nothing changes. Moments, which change, have pager.ts.
import type { Backend, DeviceBuffer } from "./backend.ts";
import { ArgumentError, DeviceError } from "./error.ts";
import { checkedBudget, type PagerCounters, type PagerOptions } from "./pager.ts";
import { QTensor } from "./qtensor.ts";
import { sessionOf, within } from "./session.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";

/** Weights that come and go together. */
class FrozenPage {
  readonly parts = new Set<PagedStorage>();
  resident = false;

  constructor(readonly index: number) {}

  get byteLength(): number {
    return [...this.parts].reduce((n, part) => n + part.byteLength, 0);
  }
}

/** Storage whose bytes are the host's; whoever asks for its buffer brings its page in. */
class PagedStorage extends Storage {
  onDevice: DeviceBuffer | null = null;

  constructor(
    readonly pager: FrozenPager,
    readonly page: FrozenPage,
    readonly bytes: Uint8Array,
  ) {
    super(pager.backend, bytes.byteLength, false);
    page.parts.add(this);
  }

  override get buffer(): DeviceBuffer {
    if (this.freed) throw new DeviceError("A paged weight was used after it was disposed.");
    return this.pager.bufferOf(this);
  }

  override release(): void {
    const live = !this.freed;
    super.release();
    if (live && this.freed) this.pager.forget(this);
  }
}

/** Keeps frozen weights on the host and brings a page of them, a layer, to the device when an op reads it, under a budget of bytes. */
export class FrozenPager {
  readonly budgetBytes: number;
  readonly #pages = new Map<number, FrozenPage>();
  /** Pages on the device, least recently used first. */
  readonly #resident = new Set<FrozenPage>();
  #last = -1;
  #counters = { hits: 0, faults: 0, prefetches: 0, bytesIn: 0, bytesOut: 0, residentBytes: 0, peakResidentBytes: 0 };

  constructor(
    readonly backend: Backend,
    { budgetBytes = Number.POSITIVE_INFINITY }: PagerOptions = {},
  ) {
    this.budgetBytes = checkedBudget("frozenPager", budgetBytes);
  }

  /** A use is one page's turn: hits found it on the device, faults did not. Nothing goes out: bytesOut stays 0. */
  get counters(): PagerCounters {
    return { ...this.#counters };
  }

  /**
   * The same weight, paged: takes its bytes to the host and frees them on the device. Pages are used in the order of their numbers, or backwards.
   * @throws ArgumentError if the page no longer fits the budget
   */
  async adopt(weight: QTensor, index: number): Promise<QTensor> {
    const page = this.#pages.get(index) ?? new FrozenPage(index);
    const needed = page.byteLength + weight.byteLength;
    if (needed > this.budgetBytes) {
      const what = `page ${index} of the weights takes ${needed} bytes, more than the budget of ${this.budgetBytes}. Allow at least two pages.`;
      throw new ArgumentError("frozenPager", "budgetBytes", this.budgetBytes, what);
    }
    this.#drop(page);
    this.#pages.set(index, page);
    const bytes = await Promise.all(weight.tensors().map((t) => t.readBytes()));
    // pages outlive the scope they are made in
    const paged = within(sessionOf(this.backend), { scope: null }, () =>
      weight.tensors().map((t, i) => new Tensor(new PagedStorage(this, page, bytes[i]!), t.shape, t.dtype)),
    );
    const { format, shape, scales } = weight;
    weight.dispose();
    const [codes, ...rest] = paged as [Tensor, Tensor, Tensor, Tensor];
    const [absmax, absmax2, offset] = rest;
    if (scales.kind === "plain") return new QTensor(format, shape, codes, { kind: "plain", absmax });
    return new QTensor(format, shape, codes, { kind: "double", codes: absmax, absmax: absmax2, offset });
  }

  /** Called by the storages. Brings the page in, then the one after it in the direction of travel if both fit. */
  bufferOf(storage: PagedStorage): DeviceBuffer {
    const { page } = storage;
    if (page.index !== this.#last) this.#turnTo(page);
    else if (!page.resident) this.#bringIn(page);
    return storage.onDevice!;
  }

  /** Called by a storage that nobody holds any more. */
  forget(storage: PagedStorage): void {
    const { page, onDevice } = storage;
    page.parts.delete(storage);
    if (onDevice) {
      storage.onDevice = null;
      this.backend.free(onDevice);
      this.#counters.residentBytes -= storage.byteLength;
    }
    if (page.parts.size === 0) {
      this.#resident.delete(page);
      this.#pages.delete(page.index);
    }
  }

  #turnTo(page: FrozenPage): void {
    const step = page.index < this.#last ? -1 : 1;
    this.#last = page.index;
    if (page.resident) this.#counters.hits++;
    else {
      this.#counters.faults++;
      this.#bringIn(page);
    }
    this.#resident.delete(page);
    this.#resident.add(page);
    const next = this.#pages.get(page.index + step);
    if (next && !next.resident && page.byteLength + next.byteLength <= this.budgetBytes) {
      this.#bringIn(next, page);
      this.#counters.prefetches++;
    }
  }

  #bringIn(page: FrozenPage, except?: FrozenPage): void {
    while (this.#counters.residentBytes + page.byteLength > this.budgetBytes) {
      const oldest = [...this.#resident].find((p) => p !== except && p !== page);
      if (!oldest) break; // adopt() saw to it that a page alone fits
      this.#drop(oldest);
    }
    page.resident = true;
    this.#resident.add(page);
    this.#counters.bytesIn += page.byteLength;
    this.#counters.residentBytes += page.byteLength;
    this.#counters.peakResidentBytes = Math.max(this.#counters.peakResidentBytes, this.#counters.residentBytes);
    try {
      for (const part of page.parts) {
        part.onDevice = this.backend.alloc(part.byteLength);
        this.backend.write(part.onDevice, part.bytes);
      }
    } catch (error) {
      this.#drop(page); // the device has no room for the rest of it
      throw error;
    }
  }

  #drop(page: FrozenPage): void {
    if (!page.resident) return;
    for (const part of page.parts) {
      if (part.onDevice) this.backend.free(part.onDevice);
      part.onDevice = null;
    }
    page.resident = false;
    this.#resident.delete(page);
    this.#counters.residentBytes -= page.byteLength;
  }
}
