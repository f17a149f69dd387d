// Tokens that are found in a text before anything else is done to it (special tokens, and such as a model's makers put in by hand), with the spaces beside
// them that some take. First those that are looked for in the text as it is, then, in what is left, those that are looked for in normalized text.
// Rules: tokenizers' added_vocabulary.rs. At each place the longest token is taken; texts between tokens are normalized each for itself.
import type { Normalizer } from "./normalizer.ts";
import type { Piece } from "./pre-tokenizer.ts";

/** A token with its rules. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only where no letter, digit or underscore stands beside it. */
  readonly single_word: boolean;
  /** Takes the white space before it. */
  readonly lstrip: boolean;
  /** Takes the white space behind it. */
  readonly rstrip: boolean;
  /** Whether it is looked for in normalized text. */
  readonly normalized: boolean;
}

type Section = Piece | number;

/** Finds added tokens. */
export class AddedTokens {
  readonly #asWritten: Finder;
  readonly #normalized: Finder;

  constructor(
    tokens: readonly AddedToken[],
    readonly normalize: Normalizer,
  ) {
    this.#asWritten = new Finder(tokens.filter((token) => !token.normalized).map((token) => [token.content, token]));
    this.#normalized = new Finder(tokens.filter((token) => token.normalized).map((token) => [normalize(token.content), token]));
  }

  /** The ids of the tokens in a text, and between them the rest, normalized. */
  sections(text: string): Section[] {
    return this.#asWritten.find({ text, first: true }).flatMap((section) => {
      if (typeof section === "number") return [section];
      return this.#normalized.find({ text: this.normalize(section.text), first: section.first });
    });
  }
}

interface Node {
  readonly next: Map<string, Node>;
  token?: AddedToken;
}

/** A trie of contents. */
class Finder {
  readonly #root: Node = { next: new Map() };

  constructor(contents: readonly (readonly [string, AddedToken])[]) {
    for (const [content, token] of contents) {
      if (content === "") continue;
      let node = this.#root;
      for (let i = 0; i < content.length; i++) {
        const next: Node = node.next.get(content[i]!) ?? { next: new Map() };
        node.next.set(content[i]!, next);
        node = next;
      }
      node.token = token;
    }
  }

  find({ text, first }: Piece): Section[] {
    const sections: Section[] = [];
    let done = 0;
    const takeText = (end: number) => {
      if (end > done) sections.push({ text: text.slice(done, end), first: first && done === 0 });
    };
    for (let at = 0; at < text.length; ) {
      const match = this.#longestAt(text, at);
      if (!match) {
        at++;
        continue;
      }
      const { token, end } = match;
      if (!token.single_word || standsAlone(text, at, end)) {
        takeText(token.lstrip ? Math.max(startOfSpaces(text, at, done), done) : at);
        sections.push(token.id);
        done = Math.max(done, token.rstrip ? endOfSpaces(text, end) : end);
      }
      at = end;
    }
    takeText(text.length);
    return sections;
  }

  #longestAt(text: string, start: number): { readonly token: AddedToken; readonly end: number } | undefined {
    let node = this.#root.next.get(text[start]!);
    let found: { token: AddedToken; end: number } | undefined;
    for (let end = start + 1; node; end++) {
      if (node.token) found = { token: node.token, end };
      node = end < text.length ? node.next.get(text[end]!) : undefined;
    }
    return found;
  }
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const WHITE_SPACE = /\p{White_Space}/u;

function standsAlone(text: string, start: number, end: number): boolean {
  const before = Array.from(text.slice(Math.max(0, start - 2), start)).at(-1);
  const after = text.codePointAt(end);
  return !(before !== undefined && WORD.test(before)) && !(after !== undefined && WORD.test(String.fromCodePoint(after)));
}

function startOfSpaces(text: string, end: number, least: number): number {
  let start = end;
  while (start > least && WHITE_SPACE.test(text[start - 1]!)) start--;
  return start;
}

function endOfSpaces(text: string, start: number): number {
  let end = start;
  while (end < text.length && WHITE_SPACE.test(text[end]!)) end++;
  return end;
}
