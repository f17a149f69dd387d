// Device memory under a budget: pages live on the host and are brought in when used, the least recently used go out first. bitsandbytes leaves this to
// the CUDA driver (cudaMallocManaged); here it is visible, counted, and the same on every backend.
import type { Backend } from "./backend.ts";
import { BYTES } from "./dtype.ts";
import { ArgumentError, DeviceError } from "./error.ts";
import type { Spec } from "./op.ts";
import { sessionOf, within } from "./session.ts";
import { sizeOf } from "./shape.ts";
import { fromBytes, type Tensor } from "./tensor.ts";

/** How much may be on the device. */
export interface PagerOptions {
  /** Bytes of pages on the device at one time; no limit if left out. */
  readonly budgetBytes?: number;
}

/** What happened since the pager was made. */
export interface PagerCounters {
  /** Uses that found their page on the device. */
  readonly hits: number;
  /** Uses that had to wait for it. */
  readonly faults: number;
  /** Pages brought in before they were used. */
  readonly prefetches: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
}

/** A few tensors that move together: the optimizer state of one parameter. */
export class Page {
  /** On the device, or null. */
  resident: Tensor[] | null = null;
  /** On the host, or null while zero: a page begins as zeros. */
  stored: Uint8Array[] | null = null;
  pins = 0;
  readonly byteLength: number;

  constructor(readonly specs: readonly Spec[]) {
    this.byteLength = specs.reduce((n, { shape, dtype }) => n + sizeOf(shape) * BYTES[dtype], 0);
  }
}

/** Keeps device memory under a budget of bytes: pages live on the host, come in when used, and the least recently used go out first. */
export class Pager {
  readonly budgetBytes: number;
  /** Resident pages, least recently used first. */
  readonly #resident = new Set<Page>();
  readonly #pages = new Set<Page>();
  #counters = { hits: 0, faults: 0, prefetches: 0, bytesIn: 0, bytesOut: 0, residentBytes: 0, peakResidentBytes: 0 };

  constructor(
    readonly backend: Backend,
    { budgetBytes = Number.POSITIVE_INFINITY }: PagerOptions = {},
  ) {
    this.budgetBytes = checkedBudget("pager", budgetBytes);
  }

  /** What it has moved so far, in bytes and times, and what is on the device now. */
  get counters(): PagerCounters {
    return { ...this.#counters };
  }

  /** A page of zeros. @throws ArgumentError if it can never fit the budget */
  add(specs: readonly Spec[]): Page {
    const page = new Page(specs);
    if (page.byteLength > this.budgetBytes) {
      throw new ArgumentError(
        "pager",
        "budgetBytes",
        this.budgetBytes,
        `a page of ${page.byteLength} bytes does not fit the budget of ${this.budgetBytes}. Allow at least ${page.byteLength}.`,
      );
    }
    this.#pages.add(page);
    return page;
  }

  /**
   * Calls fn with the page's tensors on the device; they stay there while it runs, and what it writes into them is kept. `next` is brought in meanwhile
   * if there is room for both.
   */
  async use<T>(page: Page, fn: (tensors: readonly Tensor[]) => T, next?: Page): Promise<T> {
    if (page.resident) this.#counters.hits++;
    else {
      this.#counters.faults++;
      await this.#bringIn(page);
    }
    this.#resident.delete(page);
    this.#resident.add(page);
    page.pins++;
    try {
      const result = fn(page.resident!);
      if (next && !next.resident && page.byteLength + next.byteLength <= this.budgetBytes) {
        await this.#bringIn(next);
        this.#counters.prefetches++;
      }
      return result;
    } finally {
      page.pins--;
    }
  }

  /** A copy of the page's bytes, tensor by tensor, wherever it is. */
  async bytes(page: Page): Promise<Uint8Array[]> {
    if (page.resident) return Promise.all(page.resident.map((t) => t.readBytes()));
    return page.stored?.map((bytes) => bytes.slice()) ?? page.specs.map(zeroBytes);
  }

  /** Replaces the page's bytes: what a saved run continues with. @throws ArgumentError if their sizes differ */
  load(page: Page, bytes: readonly Uint8Array[]): void {
    page.specs.forEach((spec, i) => {
      const expected = sizeOf(spec.shape) * BYTES[spec.dtype];
      if (bytes[i]?.byteLength !== expected)
        throw new ArgumentError(
          "pager",
          "bytes",
          bytes[i]?.byteLength,
          `tensor ${i} of the page takes ${expected} bytes, not ${bytes[i]?.byteLength}.`,
        );
    });
    this.#drop(page);
    page.stored = bytes.map((b) => b.slice());
  }

  /** Frees the device memory of all pages and forgets them. */
  dispose(): void {
    for (const page of this.#pages) {
      this.#drop(page);
      page.stored = null;
    }
    this.#pages.clear();
  }

  async #bringIn(page: Page): Promise<void> {
    while (this.#counters.residentBytes + page.byteLength > this.budgetBytes) await this.#evictOldest();
    const { stored } = page;
    // pages outlive the scope that a step is: their tensors belong to the pager
    page.resident = within(sessionOf(this.backend), { scope: null }, () =>
      page.specs.map((spec, i) => fromBytes(this.backend, stored?.[i] ?? zeroBytes(spec), spec.shape, spec.dtype)),
    );
    if (stored) this.#counters.bytesIn += page.byteLength;
    page.stored = null;
    this.#resident.add(page);
    this.#counters.residentBytes += page.byteLength;
    this.#counters.peakResidentBytes = Math.max(this.#counters.peakResidentBytes, this.#counters.residentBytes);
  }

  async #evictOldest(): Promise<void> {
    const page = [...this.#resident].find((p) => p.pins === 0);
    if (!page)
      throw new DeviceError("pager: every page on the device is in use, and the budget has no room for another. Raise the budget.");
    const bytes = await this.bytes(page);
    this.#drop(page);
    page.stored = bytes;
    this.#counters.bytesOut += page.byteLength;
  }

  #drop(page: Page): void {
    if (!page.resident) return;
    for (const t of page.resident) t.dispose();
    page.resident = null;
    this.#resident.delete(page);
    this.#counters.residentBytes -= page.byteLength;
  }
}

/** The budget as it is. @throws ArgumentError if it is no number of bytes */
export function checkedBudget(pager: string, budgetBytes: number): number {
  if (budgetBytes >= 0) return budgetBytes;
  throw new ArgumentError(pager, "budgetBytes", budgetBytes, `a budget of ${budgetBytes} bytes is none.`);
}

const zeroBytes = ({ shape, dtype }: Spec): Uint8Array => new Uint8Array(sizeOf(shape) * BYTES[dtype]);
