// The numbers that are on a device now, and the bytes they take there: a texture's rows are full, so they are more than the buffers' own. It counts, and frees nothing.
import type { BytesInUse, Numbers } from "./engine.ts";

export class LiveNumbers {
  readonly #bytesOf = new Map<Numbers, number>();
  #bytes = 0;
  #peak = 0;

  get count(): number {
    return this.#bytesOf.size;
  }

  get bytes(): BytesInUse {
    return { live: this.#bytes, peak: this.#peak };
  }

  add(numbers: Numbers, bytes: number): void {
    this.#bytesOf.set(numbers, bytes);
    this.#bytes += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
  }

  /** Whether they were live until now. */
  remove(numbers: Numbers): boolean {
    this.#bytes -= this.#bytesOf.get(numbers) ?? 0;
    return this.#bytesOf.delete(numbers);
  }

  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  [Symbol.iterator](): MapIterator<Numbers> {
    return this.#bytesOf.keys();
  }
}
