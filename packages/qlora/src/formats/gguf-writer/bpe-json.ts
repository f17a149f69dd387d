// What is read of a tokenizer.json whose model is BPE, and its merges, which files write in two ways.
import { z } from "zod";
import { AddedTokens, Vocabulary } from "./token-list.ts";

const Normalizer = z.looseObject({ type: z.string() });

export const BpeJson = z.looseObject({
  added_tokens: AddedTokens,
  normalizer: Normalizer.nullish(),
  pre_tokenizer: z.unknown().optional(),
  model: z.looseObject({
    type: z.literal("BPE").default("BPE"),
    vocab: Vocabulary,
    merges: z.union([z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]),
    ignore_merges: z
      .boolean()
      .nullish()
      .transform((x) => x ?? false),
    byte_fallback: z
      .boolean()
      .nullish()
      .transform((x) => x ?? false),
    unk_token: z.string().nullish(),
  }),
});
export type BpeJson = z.infer<typeof BpeJson>;

/** The two halves of each merge, in the order of their ranks. */
export const mergePairs = ({ model }: BpeJson): (readonly [string, string])[] =>
  model.merges.map((merge) => {
    if (typeof merge !== "string") return merge;
    const space = merge.indexOf(" ", 1);
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
