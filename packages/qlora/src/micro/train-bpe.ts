// A trainer for byte-level byte-pair encoding, plain enough to read: count words, join the most frequent neighbours, repeat. It trains; encoding is the
// tokenizer library's work. Words are cut exactly as the tokenizer.json of the micro model says: digits one by one, then GPT-2's pattern, then bytes.

/** What training yields: the tokens by id, and the pairs that were joined, in order. */
export interface BpeModel {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/** GPT-2's words: contractions, and letters, digits or other signs, each with the space before it (Radford et al. 2019, `encoder.py`). */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * The sign that stands for each byte in a byte-level vocabulary, by byte: printable Latin-1 signs stand for themselves, the others for the signs from
 * U+0100 on, so that no token holds a space or a control character.
 */
export function byteSigns(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** The words of a text in byte signs, special tokens left out. */
function* wordsOf(text: string, specials: readonly string[], signs: readonly string[]): Generator<string[]> {
  const encoder = new TextEncoder();
  const marks = new RegExp(specials.map((special) => special.replace(/[|\\{}()[\]^$+*?.]/g, "\\$&")).join("|"));
  for (const piece of text.split(marks)) {
    for (const part of piece.split(/(\p{Nd})/u)) {
      for (const [word] of part.matchAll(WORDS)) yield Array.from(encoder.encode(word), (byte) => signs[byte]!);
    }
  }
}

interface Word {
  symbols: string[];
  readonly count: number;
}

/** The distinct words of the texts with their counts. */
function countWords(texts: Iterable<string>, specials: readonly string[], signs: readonly string[]): Word[] {
  const counts = new Map<string, Word>();
  for (const text of texts) {
    for (const symbols of wordsOf(text, specials, signs)) {
      const name = symbols.join("");
      counts.set(name, { symbols, count: (counts.get(name)?.count ?? 0) + 1 });
    }
  }
  return [...counts.values()];
}

/** The neighbours that occur most often; of equals, the first in code order. Undefined when every word is one symbol. */
function bestPair(words: readonly Word[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of words) {
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]} ${symbols[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | undefined;
  for (const [pair, count] of counts) {
    const least = best === undefined ? 0 : counts.get(best)!;
    if (count > least || (count === least && pair < best!)) best = pair;
  }
  return best?.split(" ") as [string, string] | undefined;
}

/** Each place where the pair stands becomes one symbol. */
function join(symbols: readonly string[], [left, right]: readonly [string, string]): string[] {
  const joined: string[] = [];
  for (const symbol of symbols) {
    if (symbol === right && joined.at(-1) === left && joined.length > 0) joined[joined.length - 1] = left + right;
    else joined.push(symbol);
  }
  return joined;
}

/**
 * Trains a vocabulary of `size` tokens: the special ones first, then the 256 bytes, then one token a merge (Sennrich et al. 2016).
 *
 * The result is a pure function of the texts. It is smaller than `size` only when nothing is left to join.
 */
export function trainBpe(texts: Iterable<string>, size: number, specials: readonly string[]): BpeModel {
  const signs = byteSigns();
  const words = countWords(texts, specials, signs);
  const tokens = [...specials, ...signs];
  const merges: [string, string][] = [];
  while (tokens.length < size) {
    const pair = bestPair(words);
    if (pair === undefined) break;
    for (const word of words) if (word.symbols.includes(pair[1])) word.symbols = join(word.symbols, pair);
    merges.push(pair);
    tokens.push(pair[0] + pair[1]);
  }
  return { tokens, merges };
}
