// A folder that has a SentencePiece model and no tokenizer.json: the model in the words of a tokenizer.json, as transformers makes it for the kinds of
// Llama 2 and Mistral, Gemma, and T5. Which kind it is, the model says (algorithm, a space before each text) or the folder's tokenizer_class and model_type.
// Source: transformers 5.23 tokenization_{llama,gemma,t5}.py, convert_slow_tokenizer.py.
import { UnsupportedError } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import { pieceMerges } from "./piece-merges.ts";
import { PIECE_TYPE, readSentencePieceModel, type SentencePieceModel } from "./sentencepiece-model.ts";

/** Parsed JSON of which we know that it is an object, or nothing. */
type Settings = Readonly<Record<string, unknown>>;

/** A model in the words of Hugging Face's files. */
export interface SentencePieceFiles {
  /** `tokenizer.json` */
  readonly tokenizer: object;
  /** `tokenizer_config.json`: what the folder says, and where it says nothing of a token with a job, what the model says. */
  readonly config: Settings;
}

const SPACE = "▁";

/** Files of older folders, which say what tokenizer_config.json says in newer ones. */
export interface OlderFiles {
  /** added_tokens.json: ids by token. */
  readonly added?: unknown;
  /** special_tokens_map.json: the tokens with a job. */
  readonly special?: unknown;
}

/**
 * @param config the folder's tokenizer_config.json
 * @param modelConfig its config.json
 * @throws FormatError if the bytes are no SentencePiece model
 * @throws UnsupportedError for a kind that is not made here
 */
export function sentencePieceTokenizer(
  file: string,
  bytes: Uint8Array,
  config: unknown,
  modelConfig: unknown,
  older: OlderFiles = {},
): SentencePieceFiles {
  const model = readSentencePieceModel(file, bytes);
  const given = { ...namesIn(model), ...asSettings(config) };
  const settings = given.added_tokens_decoder
    ? given
    : { ...given, ...asSettings(older.special), added_tokens_decoder: decoderOf(older.added) };
  const vocabulary = vocabularyOf(file, model, settings, asSettings(modelConfig));
  const { normalizer, pre_tokenizer, decoder, post_processor, model: encoder } = vocabulary;
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: vocabulary.added,
      normalizer,
      pre_tokenizer,
      post_processor,
      decoder,
      model: encoder,
    },
    config: settings,
  };
}

interface Vocabulary {
  readonly added: readonly object[];
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly post_processor: object | null;
  readonly decoder: object;
  readonly model: object;
}

const asSettings = (json: unknown): Settings =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Settings) : {};

/** added_tokens.json in the words of a tokenizer_config.json. */
const decoderOf = (added: unknown): Settings =>
  Object.fromEntries(Object.entries(asSettings(added)).map(([content, id]) => [String(id), { content }]));

/** The tokens with a job, as a tokenizer_config.json names them. */
function namesIn({ pieces, special }: SentencePieceModel): Settings {
  const named = Object.entries(special).map(([job, id]) => [`${job}_token`, pieces[id]?.text]);
  return Object.fromEntries(named.filter(([, text]) => text !== undefined));
}

function vocabularyOf(file: string, model: SentencePieceModel, settings: Settings, modelConfig: Settings): Vocabulary {
  if (model.algorithm === "bpe") return bpe(model, settings);
  const isT5 = String(settings.tokenizer_class ?? "").startsWith("T5") || modelConfig.model_type === "t5";
  if (model.algorithm === "unigram" && isT5) return t5(model, settings);
  const what = `a SentencePiece model of the ${model.algorithm} algorithm for tokenizer_class ${quoted(settings.tokenizer_class)} and model_type ${quoted(modelConfig.model_type)}`;
  const advice =
    "BPE models (Llama 2, Mistral, Gemma) and T5's are read. Save the tokenizer with transformers, which writes tokenizer.json.";
  throw new UnsupportedError(`${file}: ${what} is not read. ${advice}`);
}

/** Llama's way where a space goes before a text, else Gemma's. */
function bpe(model: SentencePieceModel, settings: Settings): Vocabulary {
  const prefix = typeof settings.add_prefix_space === "boolean" ? settings.add_prefix_space : model.addDummyPrefix;
  const ids = new Map(model.pieces.map((piece, id) => [piece.text, id]));
  const decoders = [replace(SPACE, " "), { type: "ByteFallback" }, { type: "Fuse" }];
  const spaces = replace(" ", SPACE);
  const metaspace = { type: "Metaspace", replacement: SPACE, prepend_scheme: settings.legacy === true ? "always" : "first", split: false };
  const normalizers = [...charsmap(model), ...(prefix ? [] : [spaces])];
  return {
    added: addedTokens(model, settings),
    normalizer: normalizers.length > 0 ? { type: "Sequence", normalizers } : null,
    pre_tokenizer: prefix ? metaspace : null,
    post_processor: null,
    decoder: { type: "Sequence", decoders: prefix ? [...decoders, { type: "Strip", content: " ", start: 1, stop: 0 }] : decoders },
    model: {
      type: "BPE",
      unk_token: model.pieces[model.special.unk]?.text ?? null,
      fuse_unk: true,
      byte_fallback: model.byteFallback,
      vocab: Object.fromEntries(ids),
      merges: pieceMerges(ids),
    },
  };
}

const MOST_EXTRA_IDS = 10_000;

/** T5: words at white space, a space before each, sentinels behind the vocabulary (last one first), end-of-sequence behind a text. */
function t5(model: SentencePieceModel, settings: Settings): Vocabulary {
  const given = settings.extra_ids;
  const extra = typeof given === "number" && Number.isInteger(given) && given >= 0 ? Math.min(given, MOST_EXTRA_IDS) : 100;
  const first = model.pieces.length;
  const sentinels = Array.from({ length: extra }, (_, i) => `<extra_id_${extra - 1 - i}>`);
  const metaspace = { type: "Metaspace", replacement: SPACE, prepend_scheme: "always", split: true };
  const end = model.pieces[model.special.eos]?.text ?? "</s>";
  return {
    added: [...addedTokens(model, settings), ...sentinels.map((content, i) => addedToken(first + i, content, true))],
    normalizer: charsmap(model)[0] ?? null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: end, type_id: 0 } }],
      pair: [],
      special_tokens: { [end]: { id: end, ids: [model.special.eos], tokens: [end] } },
    },
    decoder: metaspace,
    model: {
      type: "Unigram",
      unk_id: model.special.unk,
      byte_fallback: false,
      vocab: [...model.pieces.map(({ text, score }) => [text, score]), ...sentinels.map((text) => [text, 0])],
    },
  };
}

function charsmap({ charsmap: bytes }: SentencePieceModel): object[] {
  if (bytes.length === 0) return [];
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return [{ type: "Precompiled", precompiled_charsmap: btoa(characters) }];
}

/**
 * Control tokens and those with a job are special; user-defined ones are found in a text but are text. What tokenizer_config.json says of a token goes before
 * that; it may also have tokens behind the pieces.
 */
function addedTokens({ pieces }: SentencePieceModel, settings: Settings): object[] {
  const named = Object.entries(settings).flatMap(([key, value]) => {
    if (key.endsWith("_token")) return [textOf(value)];
    return key === "extra_special_tokens" && Array.isArray(value) ? value.map(textOf) : [];
  });
  const added = new Map<number, object>();
  for (const [id, { text, type }] of pieces.entries()) {
    const special = type === PIECE_TYPE.CONTROL || type === PIECE_TYPE.UNKNOWN || named.includes(text);
    if (special || type === PIECE_TYPE.USER_DEFINED) added.set(id, addedToken(id, text, special));
  }
  for (const [key, given] of Object.entries(asSettings(settings.added_tokens_decoder))) {
    const { content, special, ...flags } = asSettings(given);
    if (typeof content === "string")
      added.set(Number(key), { ...flags, id: Number(key), content, special: special === true || named.includes(content) });
  }
  return [...added.values()];
}

/** A token in a tokenizer_config.json: its text, or an object with its content. */
const textOf = (value: unknown): unknown => (typeof value === "string" ? value : asSettings(value).content);

const addedToken = (id: number, content: string, special: boolean): object => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
});

const replace = (pattern: string, content: string): object => ({ type: "Replace", pattern: { String: pattern }, content });
