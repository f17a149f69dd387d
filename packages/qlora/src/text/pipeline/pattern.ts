// A pattern of a tokenizer.json: literal text, or an expression in Oniguruma's words, which @huggingface/tokenizers translates into JavaScript's. Expressions
// come from outside: those that are known are matched by JavaScript, others by a matcher of ours that always comes to an end.
import { Tokenizer } from "@huggingface/tokenizers";
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../../formats/quoted.ts";
import { boundedPattern } from "./bounded-pattern.ts";
import { KNOWN_PATTERNS } from "./known-patterns.ts";
import type { StepReader } from "./step.ts";

/** What is looked for in texts. */
export interface TextPattern {
  /** Where it stands, from the left, none over another. */
  matches(text: string): Iterable<Match>;
}

/** The text of a match, and where it begins. */
export interface Match {
  readonly index: number;
  readonly 0: string;
}

/** `{"String": "…"}` or `{"Regex": "…"}`. */
export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

/** Longer ones are in no tokenizer: the longest known has some 400 characters. */
const LONGEST_PATTERN = 4000;

/**
 * What matches what the pattern matches; undefined for the empty text, which matches nothing.
 * @throws UnsupportedError if the expression cannot be said in JavaScript, or has in it what is not read
 */
export function patternOf(step: StepReader, pattern: z.infer<typeof patternSchema>): TextPattern | undefined {
  if ("String" in pattern) return pattern.String === "" ? undefined : literal(pattern.String);
  if (pattern.Regex.length > LONGEST_PATTERN) throw step.unsupported(`with an expression of ${pattern.Regex.length} characters`);
  return expression(step, pattern.Regex);
}

/** An expression in Oniguruma's words. */
export function expression(step: StepReader, source: string): TextPattern {
  let pattern: unknown;
  try {
    pattern = translated(source);
    if (!(pattern instanceof RegExp)) throw new Error("nothing like it");
    return KNOWN_PATTERNS.has(source) ? native(pattern) : boundedPattern(pattern.source, tooLong);
  } catch (cause) {
    throw step.unsupported(`with the expression ${quoted(source)}, which is not read here (${(cause as Error).message}),`);
  }

  function tooLong(characters: number): FormatError {
    const what = `the ${step.kind}'s expression ${quoted(source)} takes too long on a text of ${characters} characters.`;
    return new FormatError(step.file, what);
  }
}

/** A global expression of JavaScript; of ours, or one whose time is known to grow with the text alone. */
export const native = (pattern: RegExp): TextPattern => ({ matches: (text) => text.matchAll(pattern) });

/** The library translates where it makes a pre-tokenizer, and that inside a tokenizer. */
function translated(source: string): unknown {
  const pre_tokenizer = { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
  const model = { type: "BPE", vocab: {}, merges: [] };
  const tokenizer = { model, pre_tokenizer, normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  return new Tokenizer(tokenizer, {}).pre_tokenizer.pattern;
}

const literal = (text: string): TextPattern => native(new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "gu"));
