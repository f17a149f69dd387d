// What is read of a tokenizer.json whose model is BPE, and its merges, which files write in two ways.
import * as z from "zod/mini";
import { AddedTokens, Vocabulary } from "./token-list.ts";

const Normalizer = z.looseObject({ type: z.string() });

export const BpeJson = z.looseObject({
  added_tokens: AddedTokens,
  normalizer: z.nullish(Normalizer),
  pre_tokenizer: z.optional(z.unknown()),
  model: z.looseObject({
    type: z._default(z.literal("BPE"), "BPE"),
    vocab: Vocabulary,
    merges: z.union([z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]),
    ignore_merges: z.pipe(
      z.nullish(z.boolean()),
      z.transform((x) => x ?? false),
    ),
    byte_fallback: z.pipe(
      z.nullish(z.boolean()),
      z.transform((x) => x ?? false),
    ),
    unk_token: z.nullish(z.string()),
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
