// Ids in, text out, token by token, for text that is shown while it is generated. A character whose bytes are spread over several tokens is held until
// it is whole. The pieces joined are what decoding all ids at once gives. The window restarts at the last piece shown, so the work per token stays flat.
import type { Tokenizer } from "./tokenizer.ts";

/** Unfinished characters show as U+FFFD at the end: one for the whole of it, or (byte-fallback decoders) one for each of its at most three bytes. */
const UNFINISHED = /\uFFFD{1,3}$/;

/** Decodes a stream of ids into pieces of whole characters. */
export class StreamDecoder {
  readonly #tokenizer: Tokenizer;
  readonly #skipSpecialTokens: boolean;
  #ids: number[] = [];
  /** Ids before this are the piece shown last; they stay because a decoder may treat the first token of a text differently. */
  #start = 0;
  /** Characters of the text after `#start` that have been shown. */
  #shown = 0;

  /** @param options `skipSpecialTokens`: whether special tokens say nothing (default true). */
  constructor(tokenizer: Tokenizer, { skipSpecialTokens = true }: { skipSpecialTokens?: boolean } = {}) {
    this.#tokenizer = tokenizer;
    this.#skipSpecialTokens = skipSpecialTokens;
  }

  /** Takes one more id; returns the text that became whole, perhaps none. */
  push(id: number): string {
    if (this.#skipSpecialTokens && this.#tokenizer.isSpecial(id)) return "";
    this.#ids.push(id);
    const text = this.#newText();
    const unfinished = UNFINISHED.exec(text)?.[0].length ?? 0;
    const piece = text.slice(this.#shown, text.length - unfinished);
    this.#shown += piece.length;
    if (text !== "" && unfinished === 0) {
      this.#ids = this.#ids.slice(this.#start);
      this.#start = this.#ids.length;
      this.#shown = 0;
    }
    return piece;
  }

  /** Ends the stream: returns what was held; bytes that never became a character come out as U+FFFD, as in `decode`. */
  flush(): string {
    const text = this.#newText().slice(this.#shown);
    this.#ids = [];
    this.#start = 0;
    this.#shown = 0;
    return text;
  }

  #newText(): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#start));
    const all = this.#tokenizer.decode(this.#ids);
    return all.startsWith(before) ? all.slice(before.length) : this.#tokenizer.decode(this.#ids.slice(this.#start));
  }
}
