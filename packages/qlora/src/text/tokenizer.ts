// Text to token ids and back, as a tokenizer.json says: added tokens are found, the rest is normalized, cut into pieces and encoded by the vocabulary. Also
// which ids begin, end and stop a sequence. Ids are those of tokenizers and transformers; decoding never "cleans up" spaces: the text is what the ids say.
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { AddedTokens } from "./pipeline/added-tokens.ts";
import { type Decoder, makeDecoder } from "./pipeline/decoder.ts";
import { makeModel, type VocabularyModel } from "./pipeline/model.ts";
import { makeNormalizer } from "./pipeline/normalizer.ts";
import { readSurroundings, type Surroundings } from "./pipeline/post-processor.ts";
import { makePreTokenizer, type PreTokenizer } from "./pipeline/pre-tokenizer.ts";
import { type Step, StepReader } from "./pipeline/step.ts";
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
  readonly #parts: Parts;
  readonly #specialIds: ReadonlySet<number>;
  readonly #texts: ReadonlyMap<number, string>;

  private constructor(
    parts: Parts,
    files: CheckedFiles,
    /** The tokens with a job. */
    readonly special: SpecialTokens,
  ) {
    const added = files.tokenizer.added_tokens;
    this.#parts = parts;
    this.addedTokens = new Map(added.map((token) => [token.id, token.content]));
    const named = Object.values(special).map((token: SpecialToken) => token.id);
    this.#specialIds = new Set([...added.filter((token) => token.special).map((token) => token.id), ...named]);
    this.stopIds = [...new Set([...files.stopIds, ...(special.eos ? [special.eos.id] : [])])];
    this.#texts = new Map([...Array.from(parts.model.ids, ([token, id]) => [id, token] as const), ...this.addedTokens]);
    let largest = -1;
    for (const id of this.#texts.keys()) largest = Math.max(largest, id);
    this.vocabularySize = largest + 1;
    const { before, after } = surroundings(parts, files, special);
    [this.prefixIds, this.suffixIds] = [before, after];
  }

  /**
   * Makes a tokenizer from the parsed files of a folder.
   * @throws FormatError if a file is not what it should be; UnsupportedError if tokenizer.json asks for something that is not done here.
   */
  static from(files: TokenizerFiles): Tokenizer {
    const checked = checkTokenizerFiles(files);
    const parts = makeParts(checked, pathIn(files, "tokenizer.json"));
    return new Tokenizer(parts, checked, specialTokens(parts, checked, pathIn(files, "tokenizer_config.json")));
  }

  /**
   * The ids of a text. Special tokens written in the text are recognised.
   * @param options `addSpecialTokens`: whether to put what the tokenizer puts around a text (default true).
   * @throws UsageError if a piece of the text has no token and the vocabulary no unknown token.
   */
  encode(text: string, { addSpecialTokens = true }: { addSpecialTokens?: boolean } = {}): number[] {
    const { addedTokens, preTokenize, model } = this.#parts;
    const ids: number[] = addSpecialTokens ? [...this.prefixIds] : [];
    for (const section of addedTokens.sections(text)) {
      if (typeof section === "number") {
        ids.push(section);
        continue;
      }
      for (const piece of preTokenize(section)) {
        for (const id of model.encode(piece)) ids.push(typeof id === "number" ? id : noToken(id));
      }
    }
    return addSpecialTokens ? ids.concat(this.suffixIds) : ids;
  }

  /**
   * The text of ids. Ids outside the vocabulary say nothing; bytes that are not UTF-8 become U+FFFD.
   * @param options `skipSpecialTokens`: whether to leave special tokens out (default false).
   */
  decode(ids: Iterable<number>, { skipSpecialTokens = false }: { skipSpecialTokens?: boolean } = {}): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = skipSpecialTokens && this.#specialIds.has(id) ? undefined : this.#texts.get(id);
      if (token !== undefined) tokens.push(token);
    }
    return this.#parts.decode ? this.#parts.decode(tokens).join("") : tokens.join(" ");
  }

  /** The token's own writing in the vocabulary, or undefined outside it. */
  idToToken(id: number): string | undefined {
    return this.#texts.get(id);
  }

  /** The id of a token by its own writing in the vocabulary. */
  tokenToId(token: string): number | undefined {
    return this.#parts.idOf(token);
  }

  /** Whether the id is a special token: it marks something and is not text. */
  isSpecial(id: number): boolean {
    return this.#specialIds.has(id);
  }
}

/** A tokenizer.json, made to work. */
interface Parts {
  readonly addedTokens: AddedTokens;
  readonly preTokenize: PreTokenizer;
  readonly model: VocabularyModel;
  readonly decode: Decoder | undefined;
  /** What the post-processor puts around a text. */
  readonly around: Surroundings;
  /** The id of a token by its writing: added tokens first. */
  idOf(token: string): number | undefined;
}

function makeParts({ tokenizer, unknownPattern }: CheckedFiles, file: string): Parts {
  const made = <T>(kind: string, step: Step | null, make: (step: StepReader) => T): T | undefined =>
    step === null ? undefined : make(new StepReader(file, kind, step, unknownPattern));
  const model = makeModel(file, tokenizer.model);
  const added = new Map(tokenizer.added_tokens.map((token) => [token.content, token.id]));
  const normalize = made("normalizer", tokenizer.normalizer, makeNormalizer) ?? ((text) => text);
  return {
    addedTokens: new AddedTokens(tokenizer.added_tokens, normalize),
    preTokenize: made("pre-tokenizer", tokenizer.pre_tokenizer, makePreTokenizer) ?? (({ text }) => (text === "" ? [] : [text])),
    model,
    decode: made("decoder", tokenizer.decoder, makeDecoder),
    around: made("post-processor", tokenizer.post_processor, readSurroundings) ?? { before: [], after: [] },
    idOf: (token) => added.get(token) ?? model.ids.get(token),
  };
}

function noToken(piece: string): never {
  throw new UsageError("tokenizer", `no token for ${JSON.stringify(piece)}, and the vocabulary has no unknown token.`, { piece });
}

function specialTokens(parts: Parts, { config, specialTokensMap }: CheckedFiles, file: string): SpecialTokens {
  const special: { [job: string]: SpecialToken } = {};
  for (const job of ["bos", "eos", "pad", "unk"] as const) {
    const text = config[`${job}_token`] ?? specialTokensMap[`${job}_token`];
    if (text === undefined || text === null) continue;
    const id = parts.idOf(text);
    if (id === undefined) throw new FormatError(file, `${job}_token is ${JSON.stringify(text)}, which tokenizer.json does not have.`);
    special[job] = { text, id };
  }
  return special;
}

// transformers 5 (tokenization_utils_tokenizers.py): add_bos_token or add_eos_token written in tokenizer_config.json replaces what the post-processor does.
function surroundings({ around }: Parts, { config }: CheckedFiles, special: SpecialTokens): Surroundings {
  if (typeof config.add_bos_token !== "boolean" && typeof config.add_eos_token !== "boolean") return around;
  const idsOf = (token: SpecialToken | undefined) => (token ? [token.id] : []);
  return { before: config.add_bos_token ? idsOf(special.bos) : [], after: config.add_eos_token ? idsOf(special.eos) : [] };
}
