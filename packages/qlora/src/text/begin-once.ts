// The beginning-of-sequence token, exactly once: templates that write it and tokenizers that add it must not both do so. Training and generation share this.
import type { Tokenizer } from "./tokenizer.ts";

/** Puts the tokenizer's opening tokens in front of ids, unless they bring the beginning-of-sequence token themselves. */
export function beginOnce(ids: readonly number[], tokenizer: Tokenizer): readonly number[] {
  const bos = tokenizer.special.bos?.id;
  return tokenizer.prefixIds.length === 0 || (bos !== undefined && ids[0] === bos) ? ids : [...tokenizer.prefixIds, ...ids];
}

/** The ids generation starts from, of a text as it is or a rendered conversation that ends with the generation prompt. */
export const encodePrompt = (text: string, tokenizer: Tokenizer): readonly number[] =>
  beginOnce(tokenizer.encode(text, { addSpecialTokens: false }), tokenizer);
