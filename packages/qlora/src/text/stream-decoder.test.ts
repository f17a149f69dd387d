import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chatml, llama2 } from "./samples.fixture.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import type { Tokenizer } from "./tokenizer.ts";

function pieces(tokenizer: Tokenizer, ids: readonly number[], options?: { skipSpecialTokens?: boolean }): string[] {
  const stream = new StreamDecoder(tokenizer, options);
  return [...ids.map((id) => stream.push(id)), stream.flush()];
}

describe("StreamDecoder", () => {
  it("holds a character until its last byte is there", () => {
    const { tokenizer } = chatml();
    expect(pieces(tokenizer, tokenizer.encode("a🎉b"))).toEqual(["a", "", "", "", "🎉", "b", ""]);
  });

  it.each([
    ["byte-level", () => chatml().tokenizer],
    ["sentence-piece", () => llama2().tokenizer],
  ])("never shows half a character of a text, and shows all of it (%s)", (_, make) => {
    const tokenizer = make();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), (text) => {
        const ids = tokenizer.encode(text, { addSpecialTokens: false });
        const shown = pieces(tokenizer, ids);
        expect(shown.join("")).toBe(tokenizer.decode(ids));
        // a text may hold U+FFFD itself; only where it does not is one in a piece half a character
        const half = text.includes("\uFFFD") ? /[\uD800-\uDBFF]$/ : /\uFFFD|[\uD800-\uDBFF]$/;
        expect(shown.filter((piece) => half.test(piece))).toEqual([]);
      }),
    );
  });

  it("shows a U+FFFD that the text itself holds", () => {
    const { tokenizer } = chatml();
    expect(pieces(tokenizer, tokenizer.encode("a\uFFFDb")).join("")).toBe("a\uFFFDb");
    expect(pieces(tokenizer, tokenizer.encode("\uFFFD")).join("")).toBe("\uFFFD");
  });

  it("joins to what decoding at once gives, for any ids at all", () => {
    const { tokenizer } = chatml();
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabularySize - 1), { maxLength: 40 }), fc.boolean(), (ids, skipSpecialTokens) => {
        expect(pieces(tokenizer, ids, { skipSpecialTokens }).join("")).toBe(tokenizer.decode(ids, { skipSpecialTokens }));
      }),
    );
  });

  it("gives up an unfinished character at the end", () => {
    const { tokenizer } = chatml();
    const [first = 0] = tokenizer.encode("é");
    expect(pieces(tokenizer, [first])).toEqual(["", "\uFFFD"]);
  });

  it("keeps the space that a sentence-piece decoder drops only at the start of a text", () => {
    const { tokenizer } = llama2();
    const ids = tokenizer.encode("Yes or no", { addSpecialTokens: false });
    expect(pieces(tokenizer, ids).join("")).toBe("Yes or no");
  });

  it("leaves special tokens out unless asked", () => {
    const { tokenizer } = chatml();
    const ids = tokenizer.encode("a<|im_end|>b");
    expect(pieces(tokenizer, ids)).toEqual(["a", "", "b", ""]);
    expect(pieces(tokenizer, ids, { skipSpecialTokens: false })).toEqual(["a", "<|im_end|>", "b", ""]);
  });
});
