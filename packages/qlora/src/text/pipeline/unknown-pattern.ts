// An expression of a tokenizer.json that is not one of known-patterns.ts: translated from Oniguruma's words into JavaScript's by @huggingface/tokenizers, and
// matched by a matcher of ours that always comes to an end. Most tokenizers need none of this, and a page then does not load it.
import { Tokenizer } from "@huggingface/tokenizers";
import { boundedPattern } from "./bounded-pattern.ts";
import type { ExpressionReader } from "./text-pattern.ts";

/**
 * Reads the expressions of tokenizers that few models have: `TokenizerFiles.unknownPattern`.
 * @throws Error saying what of it is not read
 */
export const unknownPattern: ExpressionReader = (source, tooLong) => boundedPattern(inJavaScript(source).source, tooLong);

/** The library translates where it makes a pre-tokenizer, and that inside a tokenizer. @throws Error if it cannot */
export function inJavaScript(source: string): RegExp {
  const pre_tokenizer = { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
  const model = { type: "BPE", vocab: {}, merges: [] };
  const tokenizer = { model, pre_tokenizer, normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const pattern: unknown = new Tokenizer(tokenizer, {}).pre_tokenizer.pattern;
  if (!(pattern instanceof RegExp)) throw new Error("nothing like it");
  return pattern;
}
