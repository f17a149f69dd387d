// A SentencePiece Unigram vocabulary (T5) in the words of a tokenizer.json: pieces with their scores, found by the most likely cut.
// Source: transformers convert_slow_tokenizer.py (`SpmConverter`, `T5Converter`); the tokenizer.json of google-t5.
import { FormatError } from "@qlora-js/core";
import { TOKEN_TYPE } from "../gguf-types.ts";
import type { MetadataValue } from "../metadata.ts";
import { type GgufVocabulary, isPlaceholder } from "./vocabulary.ts";

export interface UnigramOptions {
  readonly addPrefixSpace: boolean;
  readonly removeExtraSpaces: boolean;
  /** SentencePiece's own table of normalization, bytes. */
  readonly characterMap: MetadataValue | undefined;
}

export interface UnigramJson {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object;
  readonly decoder: object;
  readonly model: object;
}

/** Ten times T5's. */
const MAX_MAP_BYTES = 4_000_000;

/** @throws FormatError if there are no scores, or no token for what has none */
export function unigram(
  file: string,
  vocabulary: GgufVocabulary,
  unknown: number | undefined,
  { addPrefixSpace, removeExtraSpaces, characterMap }: UnigramOptions,
): UnigramJson {
  const { tokens, types, scores } = vocabulary;
  if (!scores) throw new FormatError(file, 'lacks the metadata "tokenizer.ggml.scores".');
  const unknownId = unknown ?? tokens.findIndex((_, id) => types[id] === TOKEN_TYPE.UNKNOWN);
  if (unknownId < 0) throw new FormatError(file, "has no unknown token, which a Unigram tokenizer needs.");
  let count = tokens.length; // the list's places are ids, so that only placeholders at its end can be left out
  while (count > 0 && isPlaceholder(vocabulary, count - 1)) count--;
  const metaspace = {
    type: "Metaspace",
    replacement: "▁",
    add_prefix_space: addPrefixSpace,
    prepend_scheme: addPrefixSpace ? "always" : "never",
  };
  const bytes = characterMap instanceof Uint8Array || characterMap instanceof Int8Array ? characterMap : undefined;
  if (bytes && bytes.length > MAX_MAP_BYTES)
    throw new FormatError(file, `"tokenizer.ggml.precompiled_charsmap" has ${bytes.length} bytes; at most ${MAX_MAP_BYTES} are read.`);
  return {
    normalizer: bytes ? { type: "Precompiled", precompiled_charsmap: base64(bytes) } : null,
    pre_tokenizer: removeExtraSpaces ? { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] } : metaspace,
    decoder: metaspace,
    model: {
      type: "Unigram",
      unk_id: unknownId,
      vocab: tokens.slice(0, count).map((token, id) => [token, scores[id]!]),
      byte_fallback: false,
    },
  };
}

function base64(bytes: Uint8Array | Int8Array): string {
  let text = "";
  for (const byte of new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) text += String.fromCharCode(byte);
  return btoa(text);
}
