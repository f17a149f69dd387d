// SentencePiece's compiled normalization (`precompiled_charsmap`, T5's nmt_nfkc): a trie of byte strings, each with the text that replaces it.
// Layout (sentencepiece normalizer.cc, darts-clone): u32 size of the trie in bytes, the trie as u32 units, then the replacements, each ended by a zero byte.
// How it is applied to a text is tokenizers' `Precompiled` (precompiled.rs): by grapheme clusters of up to 5 bytes, else by code points, shortest match first.
import { FormatError } from "@qlora-js/core";

const encoder = new TextEncoder();

/** A compiled map of characters. */
export class CharacterMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
  /** What became of the clusters seen; texts repeat them. */
  readonly #seen = new Map<string, string>();

  /** @throws FormatError naming `file` if the trie does not fit into the bytes */
  constructor(file: string, bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const trieBytes = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > bytes.length - 4)
      throw new FormatError(file, `precompiled_charsmap has ${bytes.length} bytes and a trie of ${trieBytes}.`);
    this.#units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#replacements = bytes.subarray(4 + trieBytes);
  }

  /** A text with its characters replaced. */
  normalize(text: string): string {
    let result = "";
    for (const stretch of text.split(BETWEEN_CLUSTERS)) {
      if (stretch.length === 1) result += this.#cluster(stretch);
      else for (const { segment } of this.#graphemes.segment(stretch)) result += this.#cluster(segment);
    }
    return result;
  }

  #cluster(cluster: string): string {
    const known = this.#seen.get(cluster);
    if (known !== undefined) return known;
    const bytes = encoder.encode(cluster);
    const whole = bytes.length < LONG_CLUSTER ? this.#replacement(bytes) : undefined;
    const result = whole ?? Array.from(cluster, (character) => this.#replacement(encoder.encode(character)) ?? character).join("");
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
    this.#seen.set(cluster, result);
    return result;
  }

  /** The replacement of the shortest key that the bytes begin with. Units, from the high bit: leaf or label bit 31, offset, scale of the offset bit 9, has a leaf bit 8, label. */
  #replacement(bytes: Uint8Array): string | undefined {
    const units = this.#units;
    let at = offsetOf(units[0] ?? 0);
    for (const byte of bytes) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || (unit & 0x8000_00ff) !== byte) return undefined;
      at ^= offsetOf(unit);
      const leaf = units[at];
      if ((unit & 0x100) !== 0 && leaf !== undefined) return this.#text(leaf & 0x7fff_ffff);
    }
    return undefined;
  }

  #text(start: number): string {
    const found = this.#replacements.indexOf(0, start);
    const end = Math.min(found < 0 ? this.#replacements.length : found, start + LONGEST_REPLACEMENT);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#replacements.subarray(start, end));
  }
}

/**
 * Places where a cluster surely ends, so that the segmenter gets short stretches: on long ones its time grows with the square of their length. They are
 * between two characters that take nothing to themselves, and before a space (but not behind the Arabic and Indic marks that take what follows).
 */
const BETWEEN_CLUSTERS =
  /(?<=[ -~\p{Lu}\p{Ll}\p{Script=Han}\p{Extended_Pictographic}])(?=[ -~\p{Lu}\p{Ll}\p{Script=Han}\p{Extended_Pictographic}])|(?<![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u{110bd}\u{110cd}\u{111c2}\u{111c3}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}])(?= )/u;

/** Clusters of this many bytes or more are looked up code point by code point. */
const LONG_CLUSTER = 6;
/** In bytes; the longest of nmt_nfkc has some thirty. A hostile map without ends would make every character a text. */
const LONGEST_REPLACEMENT = 256;
const MOST_SEEN = 20_000;

const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
