// What is done to a text before it is cut: Unicode forms, replacements, SentencePiece's characters. Each step of a tokenizer.json becomes a function of text.
// White space is Unicode's White_Space, as in the original; JavaScript's own trim() also takes U+FEFF.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { CharacterMap } from "./character-map.ts";
import { patternOf, patternSchema } from "./pattern.ts";
import type { StepReader } from "./step.ts";

/** Text to text. */
export type Normalizer = (text: string) => string;

/** What a tokenizer.json writes into texts is a character or two. */
const LONGEST_TEXT = 100;

const FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;

/**
 * @throws FormatError if a field is not what it should be
 * @throws UnsupportedError for a type that is not known here
 */
export function makeNormalizer(step: StepReader): Normalizer {
  const form = FORMS.find((name) => name === step.type);
  if (form) return (text) => text.normalize(form);
  switch (step.type) {
    case "Sequence": {
      const steps = step.steps("normalizers").map(makeNormalizer);
      return (text) => steps.reduce((before, normalize) => step.bounded([normalize(before)], [text])[0]!, text);
    }
    case "Replace":
      return replacer(step);
    case "Prepend": {
      const { prepend } = step.read(z.looseObject({ prepend: z.string().check(z.maxLength(LONGEST_TEXT)) }));
      return (text) => (text === "" ? text : prepend + text);
    }
    case "Strip":
      return stripper(step);
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "");
    case "Lowercase":
      return (text) => Array.from(text, (character) => character.toLowerCase()).join("");
    case "Precompiled":
      return precompiled(step);
    default:
      throw step.unsupported();
  }
}

/** Texts replaced by a text, which is taken as it is: `$` in it is no reference. */
export function replacer(step: StepReader): Normalizer {
  const { pattern, content } = step.read(z.looseObject({ pattern: patternSchema, content: z.string().check(z.maxLength(LONGEST_TEXT)) }));
  const found = patternOf(step, pattern);
  return (text) => {
    let [replaced, end] = ["", 0];
    for (const match of found?.matches(text) ?? []) {
      replaced += text.slice(end, match.index) + content;
      end = match.index + match[0].length;
    }
    return replaced + text.slice(end);
  };
}

function stripper(step: StepReader): Normalizer {
  const { strip_left, strip_right } = step.read(z.looseObject({ strip_left: z.boolean(), strip_right: z.boolean() }));
  return (text) => {
    const left = strip_left ? text.replace(/^\p{White_Space}+/u, "") : text;
    return strip_right ? left.slice(0, lengthWithoutSpacesAtEnd(left)) : left;
  };
}

const WHITE_SPACE = /\p{White_Space}/u;

/** By hand: an expression for spaces at the end takes the square of their number on spaces that are not there. */
function lengthWithoutSpacesAtEnd(text: string): number {
  let end = text.length;
  while (end > 0 && WHITE_SPACE.test(text[end - 1]!)) end--;
  return end;
}

function precompiled(step: StepReader): Normalizer {
  const { precompiled_charsmap } = step.read(z.looseObject({ precompiled_charsmap: z.nullish(z.string()) }));
  if (!precompiled_charsmap) return (text) => text;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(precompiled_charsmap), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new FormatError(step.file, "precompiled_charsmap is not base64.", { cause });
  }
  const map = new CharacterMap(step.file, bytes);
  return (text) => map.normalize(text);
}
