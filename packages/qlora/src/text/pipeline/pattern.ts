// A pattern of a tokenizer.json as a regular expression: literal text, or an expression in Oniguruma's words, which @huggingface/tokenizers translates.
import { Tokenizer } from "@huggingface/tokenizers";
import * as z from "zod/mini";
import type { StepReader } from "./step.ts";

/** `{"String": "…"}` or `{"Regex": "…"}`. */
export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

/** Longer ones are in no tokenizer: the longest known has some 400 characters. */
const LONGEST_PATTERN = 20_000;

/**
 * A global, Unicode expression that matches what the pattern matches; undefined for the empty text, which matches nothing.
 * @throws UnsupportedError if the expression cannot be said in JavaScript
 */
export function patternOf(step: StepReader, pattern: z.infer<typeof patternSchema>): RegExp | undefined {
  if ("String" in pattern) return pattern.String === "" ? undefined : literal(pattern.String);
  if (pattern.Regex.length > LONGEST_PATTERN) throw step.unsupported(`with an expression of ${pattern.Regex.length} characters`);
  return expression(step, pattern.Regex);
}

/** An expression in Oniguruma's words; for those that stand in this source no step is at fault. */
export function expression(step: StepReader, source: string): RegExp {
  let pattern: unknown;
  try {
    pattern = translated(source);
  } catch (cause) {
    throw step.unsupported(`with an expression that JavaScript does not have (${(cause as Error).message})`);
  }
  if (pattern instanceof RegExp) return pattern;
  throw step.unsupported("with an expression that JavaScript does not have");
}

/** The library translates where it makes a pre-tokenizer, and that inside a tokenizer. */
function translated(source: string): unknown {
  const pre_tokenizer = { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
  const model = { type: "BPE", vocab: {}, merges: [] };
  const tokenizer = { model, pre_tokenizer, normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  return new Tokenizer(tokenizer, {}).pre_tokenizer.pattern;
}

const literal = (text: string): RegExp => new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "gu");
