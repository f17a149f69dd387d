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
  readonly pair: readonly [left: string, right: string];
  readonly score: number;
  readonly leftLength: number;
  readonly rightLength: number;
}

/** Every way to make a piece of two; better pieces first, then those with the longer left, then right half; else in the order of ids. */
function mergesOf({ tokens, types, scores }: GgufVocabulary): (readonly [string, string])[] {
  const ids = new Map(tokens.flatMap((token, id) => (types[id] === TOKEN_TYPE.NORMAL ? [[token, id] as const] : [])));
  const merges: Merge[] = [];
  for (const [token, id] of ids) {
    const score = scores?.[id] ?? 0;
    merges.push(...splits(token, ids).map((merge) => ({ ...merge, score })));
  }
  merges.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength || b.rightLength - a.rightLength);
  return merges.map(({ pair }) => pair);
}

/** Longer than any piece that is merged; longer ones, in a hostile file, would take the square of their length. */
const LONGEST_PIECE = 256;

function splits(token: string, ids: ReadonlyMap<string, number>): Omit<Merge, "score">[] {
  if (token.length > LONGEST_PIECE) return [];
  const characters = [...token];
  const found: Omit<Merge, "score">[] = [];
  for (let i = 1; i < characters.length; i++) {
    const [left, right] = [characters.slice(0, i).join(""), characters.slice(i).join("")];
    if (ids.has(left) && ids.has(right)) found.push({ pair: [left, right], leftLength: i, rightLength: characters.length - i });
  }
  const id = (merge: Omit<Merge, "score">, side: 0 | 1) => ids.get(merge.pair[side])!;
  return found.sort((a, b) => id(a, 0) - id(b, 0) || id(a, 1) - id(b, 1));
}
