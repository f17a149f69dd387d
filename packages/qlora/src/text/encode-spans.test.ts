import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeSpans } from "./encode-spans.ts";
import { chatml, llama2 } from "./samples.fixture.ts";
import type { Tokenizer } from "./tokenizer.ts";

function around(tokenizer: Tokenizer, before: string, within: string, after: string) {
  const span = { start: before.length, end: before.length + within.length };
  const { ids, inside, straddling } = encodeSpans(tokenizer, before + within + after, [span]);
  const part = (wanted: boolean) => ids.filter((_, i) => inside[i] === wanted);
  return { ids, straddling, inside: tokenizer.decode(part(true)), tokens: part(true).map((id) => tokenizer.idToToken(id)) };
}

describe("encodeSpans", () => {
  it("gives the ids of the whole and marks those inside, at special tokens", () => {
    const { tokenizer } = chatml();
    const found = around(tokenizer, "<|im_start|>think", "thin<|im_end|>", "in");
    expect(found.ids).toEqual(tokenizer.encode("<|im_start|>thinkthin<|im_end|>in"));
    expect(found).toMatchObject({ inside: "thin<|im_end|>", straddling: 0 });
  });

  it("cuts a merge that runs across the beginning, as the prompt is cut when text is generated", () => {
    const { tokenizer } = chatml();
    const found = around(tokenizer, "assistant\n", "\nYes", "<|im_end|>");
    expect(tokenizer.encode("\n\n")).toHaveLength(1);
    expect(found.tokens).toEqual(["Ċ", "Y", "e", "s"]);
    expect(found.straddling).toBe(0);
  });

  it("marks several spans", () => {
    const { tokenizer } = chatml();
    const { ids, inside } = encodeSpans(tokenizer, "a<|im_end|>b<|im_end|>c", [
      { start: 0, end: 1 },
      { start: 11, end: 12 },
    ]);
    expect(tokenizer.decode(ids.filter((_, i) => inside[i]))).toBe("ab");
  });

  it("says the text and its inside, wherever it is cut (byte-level)", () => {
    const { tokenizer } = chatml();
    const text = fc.string({ unit: fc.constantFrom("i", "n", "t", "h", "\n", " ", "é", "🎉") });
    fc.assert(
      fc.property(text, text, text, (before, within, after) => {
        const found = around(tokenizer, before, within, after);
        expect([tokenizer.decode(found.ids), found.inside, found.straddling]).toEqual([before + within + after, within, 0]);
      }),
    );
  });

  it("keeps the tokens of the whole where a piece alone would get a space in front", () => {
    const { tokenizer } = llama2();
    const clean = around(tokenizer, "ab", "cd", "ef");
    expect(clean.ids).toEqual(tokenizer.encode("abcdef", { addSpecialTokens: false }));
    expect(clean).toMatchObject({ tokens: ["c", "d"], straddling: 0 });
  });

  it("counts a token across the beginning as outside and one across the end as inside", () => {
    const { tokenizer } = llama2();
    const start = around(tokenizer, "ab ", "Hi", "");
    expect(start).toMatchObject({ tokens: ["i"], straddling: 1 });
    const end = around(tokenizer, "", "ab ", "Hi");
    expect(end).toMatchObject({ tokens: ["▁", "a", "b", "▁H"], straddling: 1 });
  });
});
