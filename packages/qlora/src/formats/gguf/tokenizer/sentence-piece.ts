// A SentencePiece BPE vocabulary (Llama 2, Mistral, Gemma, Phi-3) in the words of a tokenizer.json: pieces with scores become merges in the order of the scores.
// Source: transformers convert_slow_tokenizer.py (`generate_merges`, `LlamaConverter`, `GemmaConverter`).
import { TOKEN_TYPE } from "../gguf-types.ts";
import { type GgufVocabulary, idsByToken } from "./vocabulary.ts";

const SPACE = "▁";

export interface SentencePieceJson {
  readonly normalizer: object;
  readonly decoder: object;
  readonly model: object;
}

/** @param addPrefixSpace whether a text is as if a space went before it */
export function sentencePiece(vocabulary: GgufVocabulary, unknown: string | undefined, addPrefixSpace: boolean): SentencePieceJson {
  const replace = (pattern: string, content: string) => ({ type: "Replace", pattern: { String: pattern }, content });
  const spaces = replace(" ", SPACE);
  const decoders = [replace(SPACE, " "), { type: "ByteFallback" }, { type: "Fuse" }];
  return {
    normalizer: addPrefixSpace ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: SPACE }, spaces] } : spaces,
    decoder: { type: "Sequence", decoders: addPrefixSpace ? [...decoders, { type: "Strip", content: " ", start: 1, stop: 0 }] : decoders },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: idsByToken(vocabulary),
      merges: vocabulary.merges?.map((merge) => merge.split(" ")) ?? mergesOf(vocabulary),
    },
  };
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
  /** In characters, not in UTF-16. */
  readonly leftLength: number;
  readonly rightLength: number;
}

/** Every way to make a piece of two; better pieces first, then those with the longer left, then right half; else in the order of ids. */
function mergesOf({ tokens, types, scores }: GgufVocabulary): (readonly [string, string])[] {
  const ids = new Map<string, number>();
  for (let id = 0; id < tokens.length; id++) if (types[id] === TOKEN_TYPE.NORMAL) ids.set(tokens[id]!, id);
  const merges: Merge[] = [];
  for (const [token, id] of ids) addMerges(merges, token, scores?.[id] ?? 0, ids);
  merges.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength || b.rightLength - a.rightLength);
  return merges.map(({ left, right }) => [left, right]);
}

/** Longer than any piece that is merged; longer ones, in a hostile file, would take the square of their length. */
const LONGEST_PIECE = 256;

function addMerges(merges: Merge[], token: string, score: number, ids: ReadonlyMap<string, number>): void {
  if (token.length > LONGEST_PIECE) return;
  const found: Merge[] = [];
  const length = characters(token);
  for (let i = 1, leftLength = 0; i < token.length; i++) {
    if (isSecondHalf(token, i)) continue;
    leftLength++;
    const left = token.slice(0, i);
    if (!ids.has(left)) continue;
    const right = token.slice(i);
    if (ids.has(right)) found.push({ left, right, score, leftLength, rightLength: length - leftLength });
  }
  if (found.length > 1) found.sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!);
  merges.push(...found);
}

/** Whether the unit is the second of the two that UTF-16 writes a character with. */
const isSecondHalf = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

function characters(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if (isSecondHalf(text, i)) count--;
  return count;
}
