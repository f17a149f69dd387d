// The vocabulary of a tokenizer.json as GGUF lists it: a text and a kind for every row of the embedding table. Says nothing of how text is cut or merged.
// Source: llama.cpp v0.5.0, conversion/base.py (`get_vocab_base`, `does_token_look_special`).
import * as z from "zod/mini";
import { UsageError } from "../../error.ts";
import { TOKEN_TYPE } from "../gguf/gguf-types.ts";
import { quoted } from "../quoted.ts";

export interface TokenList {
  readonly texts: readonly string[];
  /** Of TOKEN_TYPE. */
  readonly kinds: readonly number[];
}

export const AddedTokens = z._default(
  z.array(z.looseObject({ id: z.int().check(z.nonnegative()), content: z.string(), special: z._default(z.boolean(), false) })),
  [],
);
export const Vocabulary = z.record(z.string(), z.int().check(z.nonnegative()));

export interface VocabularyJson {
  readonly vocabulary: z.infer<typeof Vocabulary>;
  readonly added: z.infer<typeof AddedTokens>;
}

/**
 * @param file name for errors
 * @param size rows of the embedding table; ids that no token has become placeholders
 * @throws UsageError if there are tokens beyond the table
 */
export function tokenList(file: string, { vocabulary, added }: VocabularyJson, size: number): TokenList {
  const texts = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const kinds = new Array<number>(size).fill(TOKEN_TYPE.UNUSED);
  const put = (id: number, text: string, kind: number): void => {
    if (id >= size)
      throw new UsageError(file, `has the token ${quoted(text)} with id ${id}, beyond the model's vocabulary of ${size}.`, {
        id,
        text,
        size,
      });
    texts[id] = text;
    kinds[id] = kind;
  };
  for (const [text, id] of Object.entries(vocabulary)) put(id, text, TOKEN_TYPE.NORMAL);
  for (const { id, content, special } of added) {
    const control = special || looksSpecial(content);
    // llama.cpp looks for added tokens in plain text, where a space is a space
    put(id, control ? content : content.replaceAll("▁", " "), control ? TOKEN_TYPE.CONTROL : TOKEN_TYPE.USER_DEFINED);
  }
  return { texts, kinds };
}

/** Some files do not mark as special what is. */
const looksSpecial = (text: string): boolean =>
  ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].includes(text) || /^<\|.*\|>$|^<｜.*｜>$|^<unused.*>$/s.test(text);
