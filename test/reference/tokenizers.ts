// tokenizers.json.gz as make_tokenizers.py wrote it: small tokenizers of the kinds in use, and what transformers makes of texts and ids with them.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** What transformers makes of things with one tokenizer. */
export interface TokenizerCases {
  /** A text; its ids without and with the tokens around it; what the former decode to, with and without special tokens. */
  readonly texts: readonly (readonly [text: string, ids: number[], around: number[], decoded: string, plain: string])[];
  /** Ids at random; what they decode to, with and without special tokens. */
  readonly ids: readonly (readonly [ids: number[], decoded: string, plain: string])[];
}

/** A tokenizer given by its tokenizer.json. A `precompiled_charsmap` that is "T5" stands for that of the T5 model. */
export interface TokenizerKind extends TokenizerCases {
  readonly tokenizer: TokenizerJson;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A tokenizer.json, as far as tests look into it. */
export interface TokenizerJson {
  readonly normalizer: { readonly normalizers?: readonly object[] } | null;
  readonly decoder: object;
  readonly [key: string]: unknown;
}

/** A folder that has a SentencePiece model alone. */
export interface SentencePieceFolder extends TokenizerCases {
  /** The model file, in base64. */
  readonly model: string;
  /** What stands beside it, by name: tokenizer_config.json and others. */
  readonly files: Readonly<Record<string, object>>;
}

interface Reference {
  readonly kinds: Readonly<Record<string, TokenizerKind>>;
  readonly folders: Readonly<Record<string, SentencePieceFolder>>;
}

/** The reference, parsed. */
export const TOKENIZERS = JSON.parse(
  gunzipSync(readFileSync(new URL("tokenizers.json.gz", import.meta.url))).toString("utf8"),
) as Reference;
