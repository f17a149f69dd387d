// A pattern of a tokenizer.json: literal text, or an expression in Oniguruma's words. Expressions come from outside: those that are known are matched by
// JavaScript, others by unknown-pattern.ts, which is loaded where there are some.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../../formats/quoted.ts";
import { KNOWN_PATTERNS } from "./known-patterns.ts";
import type { StepReader } from "./step.ts";
import type { TextPattern } from "./text-pattern.ts";

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

/** An expression in Oniguruma's words. @throws UnsupportedError as {@link patternOf} */
export function expression(step: StepReader, source: string): TextPattern {
  const known = KNOWN_PATTERNS.get(source);
  if (known) return native(known);
  if (!step.unknownPattern) {
    const what = `the ${step.kind}'s expression ${quoted(source)} is not one of the known ones`;
    throw new UnsupportedError(
      `${step.file}: ${what}. Give Tokenizer.from its reader beside the files: { …, unknownPattern: await loadUnknownPattern() }.`,
    );
  }
  try {
    return step.unknownPattern(source, tooLong);
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

const literal = (text: string): TextPattern => native(new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"), "gu"));
