// The vocabulary of a tokenizer.json: read and checked entry by entry (they are hundreds of thousands), and made into what encodes pieces.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../../formats/quoted.ts";
import { checkJson } from "../../formats/read-json.ts";
import { BPE_MOST_IDS, Bpe, type BpeParts } from "./bpe.ts";
import { Unigram } from "./unigram.ts";

/** A vocabulary that encodes the pieces a text was cut into. */
export interface VocabularyModel {
  readonly ids: ReadonlyMap<string, number>;
  /** The ids of a piece; a string among them is text that has no token. */
  encode(piece: string): readonly (number | string)[];
}

const flag = z.pipe(
  z.nullish(z.boolean()),
  z.transform((value) => value ?? false),
);
const affix = z.nullish(z.string());

const bpeSchema = z.looseObject({
  unk_token: z.nullish(z.string()),
  dropout: z.nullish(z.number()),
  continuing_subword_prefix: affix,
  end_of_word_suffix: affix,
  fuse_unk: flag,
  byte_fallback: flag,
  ignore_merges: flag,
});

const unigramSchema = z.looseObject({ unk_id: z.nullish(z.int().check(z.nonnegative())), byte_fallback: flag });

/**
 * @throws FormatError if its parts do not fit each other
 * @throws UnsupportedError for a kind that is not known here
 */
export function makeModel(file: string, model: Readonly<Record<string, unknown>>): VocabularyModel {
  const type = model.type ?? (Array.isArray(model.vocab) ? "Unigram" : "merges" in model ? "BPE" : undefined);
  if (type === "BPE") return bpe(file, model);
  if (type === "Unigram") return unigram(file, model);
  throw new UnsupportedError(
    `${file}: a vocabulary of type ${quoted(type)} is not read. BPE and Unigram are, which generating models have.`,
  );
}

function bpe(file: string, model: Readonly<Record<string, unknown>>): Bpe {
  const settings = checkJson(file, bpeSchema, model);
  if (settings.continuing_subword_prefix || settings.end_of_word_suffix || settings.dropout)
    throw new UnsupportedError(
      `${file}: BPE with continuing_subword_prefix, end_of_word_suffix or dropout is not read; no generating model has them.`,
    );
  const ids = bpeIds(file, model.vocab);
  const unknown = settings.unk_token ? ids.get(settings.unk_token) : undefined;
  if (settings.unk_token && unknown === undefined)
    throw new FormatError(file, `unk_token is ${quoted(settings.unk_token)}, which is not in the vocabulary.`);
  return new Bpe({
    ids,
    merges: bpeMerges(file, model.merges, ids),
    unknown,
    fuseUnknown: settings.fuse_unk,
    byteFallback: settings.byte_fallback,
    ignoreMerges: settings.ignore_merges,
  });
}

function bpeIds(file: string, vocab: unknown): Map<string, number> {
  if (typeof vocab !== "object" || vocab === null || Array.isArray(vocab))
    throw new FormatError(file, '"model.vocab" is not an object of ids.');
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  for (const [token, id] of Object.entries(vocab as Readonly<Record<string, unknown>>)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= BPE_MOST_IDS)
      throw new FormatError(
        file,
        `"model.vocab" gives ${quoted(token)} the id ${quoted(id)}. Ids are whole numbers below ${BPE_MOST_IDS}.`,
      );
    ids.set(token, id);
    taken.add(id);
  }
  if (taken.size < ids.size) throw new FormatError(file, `"model.vocab" has ${ids.size} tokens, but ${taken.size} different ids.`);
  return ids;
}

/** Merges as `"left right"` or `["left", "right"]`, by id. */
function bpeMerges(file: string, merges: unknown, ids: ReadonlyMap<string, number>): BpeParts["merges"] {
  if (!Array.isArray(merges)) throw new FormatError(file, '"model.merges" is not a list.');
  return Array.from(merges as readonly unknown[], (merge, rank) => {
    const pair: readonly unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== "string" || typeof right !== "string")
      throw new FormatError(file, `"model.merges" has ${quoted(merge)} at ${rank}, which is not two tokens.`);
    const found = [left, right, left + right].map((token) => {
      const id = ids.get(token);
      if (id === undefined)
        throw new FormatError(file, `merge ${rank}, ${quoted(merge)}, needs the token ${quoted(token)}, which is not in the vocabulary.`);
      return id;
    });
    return found as [number, number, number];
  });
}

/** Longer than any piece; in a hostile file longer ones would make every text slow. SentencePiece makes them of 16 characters by default. */
const LONGEST_UNIGRAM = 512;

function unigram(file: string, model: Readonly<Record<string, unknown>>): Unigram {
  const { unk_id, byte_fallback } = checkJson(file, unigramSchema, model);
  const { vocab } = model;
  if (!Array.isArray(vocab) || vocab.length === 0) throw new FormatError(file, '"model.vocab" is not a list of tokens with scores.');
  const ids = new Map<string, number>();
  const scores = Float64Array.from(vocab as readonly unknown[], (entry, id) => {
    const [token, score]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof token !== "string" || typeof score !== "number" || (entry as readonly unknown[]).length !== 2)
      throw new FormatError(file, `"model.vocab" has ${quoted(entry)} at ${id}, which is not a token with its score.`);
    if (token.length > LONGEST_UNIGRAM)
      throw new FormatError(file, `token ${id} has ${token.length} characters; the longest known have some tens.`);
    ids.set(token, id);
    return score;
  });
  if (typeof unk_id === "number" && unk_id >= scores.length)
    throw new FormatError(file, `unk_id is ${unk_id}, outside the vocabulary of ${scores.length}.`);
  return new Unigram({ ids, scores, unknown: unk_id ?? undefined, byteFallback: byte_fallback });
}
