// Where a text is cut before the vocabulary is looked at: no token reaches over a cut. Each step of a tokenizer.json becomes a function from a piece to pieces.
// Character classes are Unicode's, as in the original: \d and \s of JavaScript are others.
import * as z from "zod/mini";
import { toByteCharacters } from "./byte-level.ts";
import { GPT2 } from "./known-patterns.ts";
import { expression, native, patternOf, patternSchema } from "./pattern.ts";
import { split, splitBehavior } from "./split.ts";
import type { StepReader } from "./step.ts";

/** A stretch of a text. */
export interface Piece {
  readonly text: string;
  /** Whether it is what the text begins with. */
  readonly first: boolean;
}

/** A piece to pieces, none of them empty. */
export type PreTokenizer = (piece: Piece) => readonly string[];

/**
 * @throws FormatError if a field is not what it should be
 * @throws UnsupportedError for a type that is not known here
 */
export function makePreTokenizer(step: StepReader): PreTokenizer {
  switch (step.type) {
    case "Sequence": {
      const steps = step.steps("pretokenizers").map(makePreTokenizer);
      return (piece) =>
        steps.reduce<readonly string[]>(
          (pieces, cut) =>
            step.bounded(
              pieces.flatMap((text, i) => cut({ text, first: piece.first && i === 0 })),
              [piece.text],
            ),
          [piece.text],
        );
    }
    case "ByteLevel":
      return byteLevel(step);
    case "Metaspace":
      return metaspace(step);
    case "Split": {
      const { pattern, behavior, invert } = step.read(
        z.looseObject({ pattern: patternSchema, behavior: splitBehavior, invert: z._default(z.boolean(), false) }),
      );
      const found = patternOf(step, pattern);
      return ({ text }) => split(text, found, behavior, invert);
    }
    case "Digits": {
      const { individual_digits } = step.read(z.looseObject({ individual_digits: z._default(z.boolean(), false) }));
      return ({ text }) => split(text, NUMBER, individual_digits ? "isolated" : "contiguous");
    }
    case "Punctuation": {
      const { behavior } = step.read(z.looseObject({ behavior: z._default(splitBehavior, "isolated") }));
      return ({ text }) => split(text, PUNCTUATION, behavior);
    }
    case "Whitespace":
      return ({ text }) => split(text, WORDS, "removed", true);
    case "WhitespaceSplit":
      return ({ text }) => split(text, WHITE_SPACE, "removed");
    default:
      throw step.unsupported();
  }
}

/** Words, and runs of what is neither word nor white space. */
const WORDS = native(
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
);
const NUMBER = native(/\p{N}/gu);
const PUNCTUATION = native(/[\p{P}!-/:-@[-`{-~]/gu);
const WHITE_SPACE = native(/\p{White_Space}/gu);

function byteLevel(step: StepReader): PreTokenizer {
  const schema = z.looseObject({ add_prefix_space: z._default(z.boolean(), true), use_regex: z._default(z.boolean(), true) });
  const { add_prefix_space, use_regex } = step.read(schema);
  const words = use_regex ? expression(step, GPT2) : undefined;
  return ({ text }) => {
    const begun = add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text;
    return split(begun, words, "isolated").map(toByteCharacters);
  };
}

function metaspace(step: StepReader): PreTokenizer {
  const schema = z.looseObject({
    replacement: z._default(z.string().check(z.maxLength(16)), "▁"),
    prepend_scheme: z.optional(z.enum(["first", "never", "always"])),
    add_prefix_space: z.optional(z.boolean()), // older files, where it is prepended always or never
    split: z._default(z.boolean(), true),
  });
  const { replacement, prepend_scheme, add_prefix_space, split: cuts } = step.read(schema);
  const scheme = prepend_scheme ?? (add_prefix_space === false ? "never" : "always");
  const mark = patternOf(step, { String: replacement });
  return ({ text, first }) => {
    const spaced = text.replaceAll(" ", () => replacement);
    const prepends = scheme === "always" || (scheme === "first" && first);
    const begun = prepends && !spaced.startsWith(replacement) ? replacement + spaced : spaced;
    return cuts ? split(begun, mark, "mergedwithnext") : [begun];
  };
}
