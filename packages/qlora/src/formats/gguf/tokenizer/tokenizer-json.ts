// The tokenizer in a GGUF file's metadata as the files a Hugging Face folder has: tokenizer.json, tokenizer_config.json, generation_config.json.
// Flags that GGUF does not carry (a token that swallows the spaces beside it) are lost on the way.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import type { TokenizerFiles } from "../../../text/tokenizer-files.ts";
import { quoted } from "../../quoted.ts";
import { TOKEN_TYPE } from "../gguf-types.ts";
import type { ConfigJson } from "../model-config.ts";
import type { Settings } from "../settings.ts";
import { preTokenizer } from "./pre-tokenizers.ts";
import { sentencePiece } from "./sentence-piece.ts";
import { unigram } from "./unigram.ts";
import { type GgufVocabulary, idsByToken, readVocabulary } from "./vocabulary.ts";

/**
 * @param config the model's config.json, for the tokens that end a text
 * @returns undefined if the file has no tokenizer: rows of ids can still be used
 * @throws FormatError if its parts do not fit each other
 * @throws UnsupportedError for a kind of tokenizer that is not read
 */
export function ggufTokenizer(settings: Settings, config: ConfigJson): TokenizerFiles | undefined {
  const kind = settings.general("tokenizer.ggml.model", "string");
  if (kind === undefined || kind === "none" || kind === "no_vocab") return undefined;
  const vocabulary = readVocabulary(settings);
  const special = new SpecialTokens(settings, vocabulary);
  const { addBos, addEos = false, ...json } = parts(settings, kind, vocabulary, special);
  const bos = special.adds("bos", addBos);
  const eos = special.adds("eos", addEos);
  return {
    folder: settings.gguf.file,
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: addedTokens(vocabulary),
      post_processor: special.around(bos, eos),
      ...json,
    },
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      ...special.names(),
      add_bos_token: bos,
      add_eos_token: eos,
      clean_up_tokenization_spaces: false,
      ...chatTemplate(settings),
    },
    generationConfig: { bos_token_id: config.bos_token_id, eos_token_id: config.eos_token_id, pad_token_id: config.pad_token_id },
    modelConfig: config,
  };
}

interface TokenizerParts {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
  /** Whether begin-of-sequence is added where the file does not say. */
  readonly addBos: boolean;
  readonly addEos?: boolean;
}

function parts(settings: Settings, kind: string, vocabulary: GgufVocabulary, special: SpecialTokens): TokenizerParts {
  const prefixSpace = settings.general("tokenizer.ggml.add_space_prefix", "boolean");
  if (kind === "gpt2") return byteLevelParts(settings, vocabulary, prefixSpace ?? false);
  if (kind === "llama")
    return { ...sentencePiece(vocabulary, special.text("unknown"), prefixSpace ?? true), pre_tokenizer: null, addBos: true };
  if (kind === "t5")
    return {
      ...unigram(settings.gguf.file, vocabulary, special.id("unknown"), {
        addPrefixSpace: prefixSpace ?? true,
        removeExtraSpaces: settings.general("tokenizer.ggml.remove_extra_whitespaces", "boolean") ?? true,
        characterMap: settings.gguf.metadata.get("tokenizer.ggml.precompiled_charsmap"),
      }),
      addBos: false,
      addEos: true,
    };
  const advice = "Byte-level BPE (gpt2), SentencePiece BPE (llama) and Unigram (t5) are. Give the model's safetensors folder.";
  throw new UnsupportedError(`${settings.gguf.file}: a tokenizer of kind ${quoted(kind)} is not read. ${advice}`);
}

function byteLevelParts(settings: Settings, vocabulary: GgufVocabulary, prefixSpace: boolean): TokenizerParts {
  const { file } = settings.gguf;
  const rule = preTokenizer(file, settings.general("tokenizer.ggml.pre", "string"), settings.architecture, prefixSpace);
  if (!vocabulary.merges) throw new FormatError(file, 'lacks the metadata "tokenizer.ggml.merges".');
  return {
    normalizer: rule.normalizer,
    pre_tokenizer: rule.preTokenizer,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: rule.ignoreMerges,
      vocab: idsByToken(vocabulary),
      merges: vocabulary.merges,
    },
    addBos: rule.addBos,
  };
}

/** Tokens that are matched before a text is cut. */
function addedTokens({ tokens, types }: GgufVocabulary): object[] {
  const special = (type: number | undefined) => type === TOKEN_TYPE.CONTROL || type === TOKEN_TYPE.UNKNOWN;
  return tokens.flatMap((content, id) =>
    special(types[id]) || types[id] === TOKEN_TYPE.USER_DEFINED
      ? [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: special(types[id]) }]
      : [],
  );
}

type Job = "bos" | "eos" | "unknown" | "padding";

/** The tokens with a job. */
class SpecialTokens {
  readonly #ids: Readonly<Record<Job, number | undefined>>;

  constructor(
    readonly settings: Settings,
    readonly vocabulary: GgufVocabulary,
  ) {
    const id = (job: Job): number | undefined => {
      const given = settings.general(`tokenizer.ggml.${job}_token_id`, "number");
      if (given === undefined || vocabulary.tokens[given] !== undefined) return given;
      throw new FormatError(settings.gguf.file, `${job}_token_id is ${given}, outside the vocabulary of ${vocabulary.tokens.length}.`);
    };
    this.#ids = { bos: id("bos"), eos: id("eos"), unknown: id("unknown"), padding: id("padding") };
  }

  id(job: Job): number | undefined {
    return this.#ids[job];
  }

  text(job: Job): string | undefined {
    const id = this.#ids[job];
    return id === undefined ? undefined : this.vocabulary.tokens[id];
  }

  /** Whether a text gets the token, `missing` where the file does not say. */
  adds(job: "bos" | "eos", missing: boolean): boolean {
    return this.#ids[job] !== undefined && (this.settings.general(`tokenizer.ggml.add_${job}_token`, "boolean") ?? missing);
  }

  names(): ConfigJson {
    const entries = (["bos", "eos", "unknown", "padding"] as const).map((job) => [KEYS[job], this.text(job)]);
    return Object.fromEntries(entries.filter(([, text]) => text !== undefined));
  }

  /** The post-processor that puts tokens around a text. */
  around(bos: boolean, eos: boolean): object | null {
    const jobs = [...(bos ? (["bos"] as const) : []), ...(eos ? (["eos"] as const) : [])];
    if (jobs.length === 0) return null;
    const token = (job: "bos" | "eos", type_id: number) => ({ SpecialToken: { id: this.text(job), type_id } });
    const text = (id: "A" | "B", type_id: number) => [
      ...(bos ? [token("bos", type_id)] : []),
      { Sequence: { id, type_id } },
      ...(eos ? [token("eos", type_id)] : []),
    ];
    const named = jobs.map((job) => [this.text(job), { id: this.text(job), ids: [this.#ids[job]], tokens: [this.text(job)] }]);
    return {
      type: "TemplateProcessing",
      single: text("A", 0),
      pair: [...text("A", 0), ...text("B", 1)],
      special_tokens: Object.fromEntries(named),
    };
  }
}

const KEYS: Readonly<Record<Job, string>> = { bos: "bos_token", eos: "eos_token", unknown: "unk_token", padding: "pad_token" };

/** The template, or all of them where there are several by name. */
function chatTemplate(settings: Settings): ConfigJson {
  const template = settings.general("tokenizer.chat_template", "string");
  if (template === undefined) return {};
  const names = settings.gguf.metadata.get("tokenizer.chat_templates");
  if (!Array.isArray(names)) return { chat_template: template };
  const named = names.flatMap((name) => {
    const own = settings.general(`tokenizer.chat_template.${String(name)}`, "string");
    return own === undefined ? [] : [{ name: String(name), template: own }];
  });
  return { chat_template: [{ name: "default", template }, ...named] };
}
