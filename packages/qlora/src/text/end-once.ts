import type { Tokenizer } from "./tokenizer.ts";

/** Puts the end-of-sequence token behind, unless the text brings one that stops. */
export function endOnce(ids: readonly number[], { special, stopIds }: Tokenizer): readonly number[] {
  const last = ids.at(-1);
  return special.eos === undefined || (last !== undefined && stopIds.includes(last)) ? ids : [...ids, special.eos.id];
}
