// Byte-pair encoding: a piece starts as its characters, and the pair whose merge ranks lowest is merged until none is left (leftmost first among equals).
// Pairs wait in a heap of numbers, rank and place in one; an entry counts only if the pair at its place still has that rank. Rules: tokenizers' bpe/word.rs.
import type { VocabularyModel } from "./model.ts";

/** What a BPE model is made of; checked by who reads it. */
export interface BpeParts {
  readonly ids: ReadonlyMap<string, number>;
  /** Best first. */
  readonly merges: readonly (readonly [left: number, right: number, merged: number])[];
  readonly unknown: number | undefined;
  /** Whether unknown characters in a row are one unknown token. */
  readonly fuseUnknown: boolean;
  /** Whether unknown characters become the tokens of their bytes, `<0x00>` … `<0xFF>`, where there are all of them. */
  readonly byteFallback: boolean;
  /** Whether a piece that is a token is that token, whatever the merges say. */
  readonly ignoreMerges: boolean;
}

/** Ids are below this, so that two of them make one exact number. */
export const BPE_MOST_IDS = 2 ** 26;
/** A place in the text is below this; ranks times this are exact. */
const MOST_SYMBOLS = 2 ** 26;
const CACHED_LENGTH = 64;
const CACHED_PIECES = 20_000;

/** A byte-pair vocabulary. */
export class Bpe implements VocabularyModel {
  readonly #parts: BpeParts;
  readonly #ranks = new Map<number, number>();
  readonly #merged: Int32Array;
  readonly #cache = new Map<string, readonly number[]>();

  constructor(parts: BpeParts) {
    this.#parts = { ...parts, merges: [] };
    this.#merged = Int32Array.from(parts.merges, ([, , merged]) => merged);
    for (const [rank, [left, right]] of parts.merges.entries()) this.#ranks.set(left * BPE_MOST_IDS + right, rank);
  }

  get ids(): ReadonlyMap<string, number> {
    return this.#parts.ids;
  }

  encode(piece: string): readonly number[] {
    const known = this.#cache.get(piece);
    if (known) return known;
    const whole = this.#parts.ignoreMerges ? this.#parts.ids.get(piece) : undefined;
    const ids = whole === undefined ? this.#merge(this.#symbols(piece)) : [whole];
    if (piece.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHED_PIECES) this.#cache.clear();
      this.#cache.set(piece, ids);
    }
    return ids;
  }

  /** The characters' ids. A character that nothing stands for is left out, as in the original. */
  #symbols(piece: string): number[] {
    const { ids, unknown, fuseUnknown } = this.#parts;
    const symbols: number[] = [];
    let afterUnknown = false;
    for (const character of piece) {
      const id = ids.get(character);
      const own = id === undefined ? this.#bytes(character) : [id];
      if (own) symbols.push(...own);
      else if (unknown !== undefined && !(afterUnknown && fuseUnknown)) symbols.push(unknown);
      afterUnknown = own === undefined;
    }
    return symbols;
  }

  #bytes(character: string): number[] | undefined {
    if (!this.#parts.byteFallback) return undefined;
    const found: number[] = [];
    for (const byte of new TextEncoder().encode(character)) {
      const id = this.#parts.ids.get(byteToken(byte));
      if (id === undefined) return undefined;
      found.push(id);
    }
    return found;
  }

  #merge(symbols: number[]): number[] {
    const count = symbols.length;
    const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
    const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
    const heap = new NumberHeap();
    const rankAt = (at: number): number | undefined => {
      const right = next[at]!;
      return right < 0 ? undefined : this.#ranks.get(symbols[at]! * BPE_MOST_IDS + symbols[right]!);
    };
    const add = (at: number) => {
      const rank = rankAt(at);
      if (rank !== undefined) heap.push(rank * MOST_SYMBOLS + at);
    };
    for (let i = 0; i + 1 < count; i++) add(i);
    for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
      const at = top % MOST_SYMBOLS;
      const rank = (top - at) / MOST_SYMBOLS;
      if (symbols[at] === GONE || rankAt(at) !== rank) continue;
      const right = next[at]!;
      symbols[at] = this.#merged[rank]!;
      symbols[right] = GONE;
      next[at] = next[right]!;
      if (next[at]! >= 0) previous[next[at]!] = at;
      if (previous[at]! >= 0) add(previous[at]!);
      add(at);
    }
    return symbols.filter((id) => id !== GONE);
  }
}

/** A symbol that was merged into the one before it. */
const GONE = -1;

/** The token of a byte. */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** A binary heap, smallest first. */
class NumberHeap {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= value) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = value;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
