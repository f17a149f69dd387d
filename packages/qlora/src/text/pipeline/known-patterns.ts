// The expressions by which the tokenizers in use cut texts into words, as their tokenizer.json has them. JavaScript's own matcher is used for these alone: each
// takes time that grows with the text's length, because an alternative that fails late is followed by one that takes all that the first went over.
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const REST_WITH_SLASH = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const WORD = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const [UPPER, LOWER] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
const casedWords = (end: string) => `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${end}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${end}`;

/** GPT-2's words (tokenizers' byte_level.rs). */
export const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** Llama 3's, with numbers by three digits. */
export const THREE_DIGITS = `${CONTRACTIONS}|${WORD}|\\p{N}{1,3}|${REST}`;
/** Qwen 2's, with numbers digit by digit. */
export const ONE_DIGIT = `${CONTRACTIONS}|${WORD}|\\p{N}|${REST}`;
/** Mistral's Tekken. */
export const TEKKEN = `${casedWords("")}|\\p{N}|${REST_WITH_SLASH}`;
/** GPT-4o's, and Phi 4's. */
export const GPT4O = `${casedWords(`${CONTRACTIONS}?`)}|\\p{N}{1,3}|${REST_WITH_SLASH}`;

const JAVASCRIPT: readonly (readonly [string, string])[] = [
  [CONTRACTIONS, "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"],
  ["\\s", "\\p{White_Space}"],
  ["\\S", "\\P{White_Space}"],
];

/** Each of them, and the same in JavaScript's words: all in which the two differ here. */
export const KNOWN_PATTERNS: ReadonlyMap<string, RegExp> = new Map(
  [GPT2, THREE_DIGITS, ONE_DIGIT, TEKKEN, GPT4O].map((source) => [
    source,
    new RegExp(
      JAVASCRIPT.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), source),
      "gu",
    ),
  ]),
);

/** Whether the parsed steps of a tokenizer.json have other expressions in them. */
export function hasUnknownPattern(steps: object): boolean {
  const left: object[] = [steps];
  for (let part = left.pop(); part; part = left.pop()) {
    if ("Regex" in part && typeof part.Regex === "string" && !KNOWN_PATTERNS.has(part.Regex)) return true;
    for (const inner of Object.values(part) as unknown[]) if (typeof inner === "object" && inner !== null) left.push(inner);
  }
  return false;
}
