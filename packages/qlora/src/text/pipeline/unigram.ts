// SentencePiece's unigram model: of all ways to cut a piece into tokens, the one whose scores (log-probabilities) add up to most. What is in no token is
// unknown, at ten less than the lowest score. Rules, with ties: tokenizers' unigram/model.rs (`encode_optimized`).
import { byteToken } from "./bpe.ts";
import type { VocabularyModel } from "./model.ts";

/** What a unigram model is made of; checked by who reads it. */
export interface UnigramParts {
  readonly ids: ReadonlyMap<string, number>;
  /** By id. */
  readonly scores: Float64Array;
  readonly unknown: number | undefined;
  readonly byteFallback: boolean;
}

const UNKNOWN_PENALTY = 10;

/** A unigram vocabulary. */
export class Unigram implements VocabularyModel {
  readonly #parts: UnigramParts;
  readonly #unknownScore: number;
  /** The lengths there are, in UTF-16 units, shortest first. */
  readonly #lengths: readonly number[];

  constructor(parts: UnigramParts) {
    this.#parts = parts;
    this.#unknownScore = parts.scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
    this.#lengths = [...new Set(Array.from(parts.ids.keys(), (token) => token.length))]
      .filter((length) => length > 0)
      .sort((a, b) => a - b);
  }

  get ids(): ReadonlyMap<string, number> {
    return this.#parts.ids;
  }

  encode(piece: string): readonly (number | string)[] {
    const { unknown } = this.#parts;
    const { startsAt, idAt } = this.#bestPaths(piece);
    const found: (number | string)[] = [];
    let unknownEnd = -1;
    const endUnknown = (start: number) => {
      if (unknownEnd >= 0) found.push(...this.#unknownTokens(piece.slice(start, unknownEnd)).reverse());
      unknownEnd = -1;
    };
    let end = piece.length;
    while (end > 0) {
      const id = idAt[end]!;
      if (id === UNKNOWN || id === unknown) unknownEnd = Math.max(unknownEnd, end);
      else {
        endUnknown(end);
        found.push(id);
      }
      end = startsAt[end]!;
    }
    endUnknown(0);
    return found.reverse();
  }

  /** For each place, where the last token of the best way to it starts, and its id. */
  #bestPaths(piece: string): { readonly startsAt: Int32Array; readonly idAt: Int32Array } {
    const { ids, scores } = this.#parts;
    const best = new Float64Array(piece.length + 1);
    const startsAt = new Int32Array(piece.length + 1).fill(-1);
    const idAt = new Int32Array(piece.length + 1);
    const offer = (start: number, end: number, id: number, score: number) => {
      const total = score + best[start]!;
      if (startsAt[end]! >= 0 && total <= best[end]!) return;
      best[end] = total;
      startsAt[end] = start;
      idAt[end] = id;
    };
    for (let start = 0; start < piece.length; ) {
      const character = piece.codePointAt(start)! > 0xffff ? 2 : 1;
      let single = false;
      for (const length of this.#lengths) {
        if (start + length > piece.length) break;
        const id = ids.get(piece.slice(start, start + length));
        if (id === undefined) continue;
        offer(start, start + length, id, scores[id]!);
        single ||= length === character;
      }
      if (!single) offer(start, start + character, UNKNOWN, this.#unknownScore);
      start += character;
    }
    return { startsAt, idAt };
  }

  /** What stands for text that is in no token: its bytes where the vocabulary has them, the unknown token, or the text itself, which is then an error. */
  #unknownTokens(text: string): (number | string)[] {
    const { ids, unknown, byteFallback } = this.#parts;
    const whole = ids.get(text);
    if (whole !== undefined) return [whole];
    if (byteFallback) {
      const bytes = Array.from(new TextEncoder().encode(text), (byte) => ids.get(byteToken(byte)));
      if (bytes.every((id) => id !== undefined)) return bytes;
    }
    return [unknown ?? text];
  }
}

const UNKNOWN = -1;
