// Tokens back to text. Each step of a tokenizer.json becomes a function from pieces to pieces; the text is the pieces joined (tokenizers' decoders).
// Bytes that are no UTF-8 become U+FFFD as in the original: for byte-level tokenizers one for each broken sequence, with byte fallback one for each byte.
import * as z from "zod/mini";
import { bytesOfToken } from "./byte-level.ts";
import { replacer } from "./normalizer.ts";
import type { StepReader } from "./step.ts";

/** The tokens of a text, to pieces of it. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

/**
 * @throws FormatError if a field is not what it should be
 * @throws UnsupportedError for a type that is not known here
 */
export function makeDecoder(step: StepReader): Decoder {
  switch (step.type) {
    case "Sequence": {
      const steps = step.steps("decoders").map(makeDecoder);
      return (tokens) => steps.reduce((pieces, decode) => step.bounded(decode(pieces), tokens), tokens);
    }
    case "ByteLevel":
      return (tokens) => [lossy(tokens.flatMap((token) => Array.from(bytesOfToken(token))))];
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace": {
      const replace = replacer(step);
      return (tokens) => tokens.map(replace);
    }
    case "Strip":
      return strip(step);
    case "Metaspace":
      return metaspace(step);
    default:
      throw step.unsupported();
  }
}

const lossy = (bytes: readonly number[]): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));

const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

/** Runs of `<0x…>` are bytes of UTF-8; a run that is not UTF-8 throughout says nothing but U+FFFD. */
function byteFallback(tokens: readonly string[]): string[] {
  const pieces: string[] = [];
  let run: number[] = [];
  const end = () => {
    if (run.length > 0) pieces.push(strict(run) ?? "\uFFFD".repeat(run.length));
    run = [];
  };
  for (const token of tokens) {
    const hex = BYTE.exec(token)?.[1];
    if (hex !== undefined) {
      run.push(Number.parseInt(hex, 16));
      continue;
    }
    end();
    pieces.push(token);
  }
  end();
  return pieces;
}

function strict(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

function strip(step: StepReader): Decoder {
  const count = z._default(z.int().check(z.nonnegative()), 0);
  const { content, start, stop } = step.read(z.looseObject({ content: z.string(), start: count, stop: count }));
  return (tokens) =>
    tokens.map((token) => {
      let [from, to] = [0, token.length];
      if (content === "") return token;
      for (let i = 0; i < start && token.startsWith(content, from); i++) from += content.length;
      for (let i = 0; i < stop && to - content.length >= from && token.endsWith(content, to); i++) to -= content.length;
      return token.slice(from, to);
    });
}

/** Marks are spaces; those of the first token are not there, if the text was begun with one. */
function metaspace(step: StepReader): Decoder {
  const schema = z.looseObject({
    replacement: z._default(z.string(), "▁"),
    prepend_scheme: z.optional(z.enum(["first", "never", "always"])),
    add_prefix_space: z.optional(z.boolean()),
  });
  const { replacement, prepend_scheme, add_prefix_space } = step.read(schema);
  const prepended = (prepend_scheme ?? (add_prefix_space === false ? "never" : "always")) !== "never";
  return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 && prepended ? "" : " "));
}
