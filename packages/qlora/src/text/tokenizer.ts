// Text to token ids and back, over @huggingface/tokenizers. What this adds to the library: which ids begin, end and stop a sequence, the special tokens
// around a text as transformers would put them, and errors that say what is missing. Decoding never "cleans up" spaces: the text is what the ids say.
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { FormatError, UnsupportedError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { type CheckedFiles, checkTokenizerFiles, pathIn, type TokenizerFiles } from "./tokenizer-files.ts";

/** A token with a job: its text and its id. */
export interface SpecialToken {
  readonly text: string;
  readonly id: number;
}

/** The tokens a folder names for the jobs, where it has them. */
export interface SpecialTokens {
  readonly bos?: SpecialToken;
  readonly eos?: SpecialToken;
  readonly pad?: SpecialToken;
  readonly unk?: SpecialToken;
}

/** Turns text into ids and ids into text, and knows the ids that begin, end and stop a sequence. */
export class Tokenizer {
  /** Ids that end generation: those of the generation config (or model config) and the tokenizer's own end-of-sequence. */
  readonly stopIds: readonly number[];
  /** One more than the largest id. The model's own vocabulary may be larger, padded for speed. */
  readonly vocabularySize: number;
  /** Every token that is matched before anything else is split, by id. */
  readonly addedTokens: ReadonlyMap<number, string>;
  /** Ids that `addSpecialTokens` puts before a text. */
  readonly prefixIds: readonly number[];
  /** Ids that `addSpecialTokens` puts after a text. */
  readonly suffixIds: readonly number[];
  readonly #inner: HuggingFaceTokenizer;
  readonly #specialIds: ReadonlySet<number>;
  readonly #text: TokenTable;

  private constructor(
    inner: HuggingFaceTokenizer,
    files: CheckedFiles,
    /** The tokens with a job. */
    readonly special: SpecialTokens,
  ) {
    this.#inner = inner;
    this.addedTokens = new Map(files.tokenizer.added_tokens.map((token) => [token.id, token.content]));
    const named = Object.values(special).map((token: SpecialToken) => token.id);
    this.#specialIds = new Set([...files.tokenizer.added_tokens.filter((token) => token.special).map((token) => token.id), ...named]);
    this.stopIds = [...new Set([...files.stopIds, ...(special.eos ? [special.eos.id] : [])])];
    this.#text = tokenTable(inner);
    this.vocabularySize = this.#text.length;
    [this.prefixIds, this.suffixIds] = surroundingIds(inner, files, special);
  }

  /**
   * Makes a tokenizer from the parsed files of a folder.
   * @throws FormatError if a file is not what it should be; UnsupportedError if tokenizer.json asks for something the library does not do.
   */
  static from(files: TokenizerFiles): Tokenizer {
    const checked = checkTokenizerFiles(files);
    const model: Record<string, unknown> = { ...checked.tokenizer.model };
    let inner: HuggingFaceTokenizer;
    try {
      inner = new HuggingFaceTokenizer({ ...checked.tokenizer, model }, checked.config);
    } catch (cause) {
      throw new UnsupportedError(
        `${pathIn(files, "tokenizer.json")}: ${messageOf(cause)}. Only what @huggingface/tokenizers reads can be used.`,
        { cause },
      );
    }
    letGoOfLists(inner, model);
    return new Tokenizer(inner, checked, specialTokens(inner, checked, pathIn(files, "tokenizer_config.json")));
  }

  /**
   * The ids of a text. Special tokens written in the text are recognised.
   * @param options.addSpecialTokens Whether to put what the tokenizer puts around a text (default true).
   * @throws UsageError if a piece of the text has no token and the vocabulary no unknown token.
   */
  encode(text: string, { addSpecialTokens = true }: { addSpecialTokens?: boolean } = {}): number[] {
    const { ids, tokens }: { ids: (number | undefined)[]; tokens: string[] } = this.#inner.encode(text, { add_special_tokens: false });
    const missing = ids.indexOf(undefined);
    if (missing >= 0) {
      const piece = tokens[missing] ?? "";
      throw new UsageError("tokenizer", `no token for ${JSON.stringify(piece)}, and the vocabulary has no unknown token.`, { piece });
    }
    const known = ids as number[];
    return addSpecialTokens ? [...this.prefixIds, ...known, ...this.suffixIds] : known;
  }

  /**
   * The text of ids. Ids outside the vocabulary say nothing; bytes that are not UTF-8 become U+FFFD.
   * @param options.skipSpecialTokens Whether to leave special tokens out (default false).
   */
  decode(ids: Iterable<number>, { skipSpecialTokens = false }: { skipSpecialTokens?: boolean } = {}): string {
    const kept = [...ids].filter((id) => this.#text[id] !== undefined && !(skipSpecialTokens && this.#specialIds.has(id)));
    return kept.length === 0 ? "" : this.#inner.decode(kept, { clean_up_tokenization_spaces: false });
  }

  /** The token's own writing in the vocabulary, or undefined outside it. */
  idToToken(id: number): string | undefined {
    return this.#text[id];
  }

  /** The id of a token by its own writing in the vocabulary. */
  tokenToId(token: string): number | undefined {
    return this.#inner.token_to_id(token);
  }

  /** Whether the id is a special token: it marks something and is not text. */
  isSpecial(id: number): boolean {
    return this.#specialIds.has(id);
  }
}

/** The library keeps the lists it was given beside the tables it made of them, some 10 MB for 50,000 tokens; it reads the tables alone. */
function letGoOfLists({ model }: HuggingFaceTokenizer, given: Record<string, unknown>): void {
  for (const list of ["vocab", "merges"]) if (list in given) given[list] = [];
  if ("merges" in model) model.merges = [];
}

type TokenTable = readonly (string | undefined)[];

function tokenTable(inner: HuggingFaceTokenizer): TokenTable {
  const table: (string | undefined)[] = [];
  for (const [token, id] of inner.get_vocab()) if (token !== undefined) table[id] = token;
  return table;
}

function specialTokens(inner: HuggingFaceTokenizer, { config, specialTokensMap }: CheckedFiles, file: string): SpecialTokens {
  const special: { [job: string]: SpecialToken } = {};
  for (const job of ["bos", "eos", "pad", "unk"] as const) {
    const text = config[`${job}_token`] ?? specialTokensMap[`${job}_token`];
    if (text === undefined || text === null) continue;
    const id = inner.token_to_id(text);
    if (id === undefined) throw new FormatError(file, `${job}_token is ${JSON.stringify(text)}, which tokenizer.json does not have.`);
    special[job] = { text, id };
  }
  return special;
}

// transformers 5 (tokenization_utils_tokenizers.py): add_bos_token or add_eos_token written in tokenizer_config.json replaces what the post-processor does.
function surroundingIds(inner: HuggingFaceTokenizer, { config }: CheckedFiles, special: SpecialTokens): [number[], number[]] {
  const idsOf = (token: SpecialToken | undefined) => (token ? [token.id] : []);
  if (typeof config.add_bos_token === "boolean" || typeof config.add_eos_token === "boolean") {
    return [config.add_bos_token ? idsOf(special.bos) : [], config.add_eos_token ? idsOf(special.eos) : []];
  }
  if (!inner.post_processor) return [[], []];
  const probe = "\u{F0000}"; // stands for the text; the processor only puts tokens around it
  const around = inner.post_processor.post_process([probe], null, true).tokens;
  const at = around.indexOf(probe);
  const ids = (tokens: string[]) => tokens.map((token) => inner.token_to_id(token)).filter((id) => id !== undefined);
  return [ids(around.slice(0, at)), ids(around.slice(at + 1))];
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
