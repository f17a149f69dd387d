import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteSigns, trainBpe } from "./train-bpe.ts";

const SPECIALS = ["<|end|>"];

describe("byteSigns", () => {
  it("gives each byte a printable sign of its own, GPT-2's", () => {
    const signs = byteSigns();
    expect(new Set(signs).size).toBe(256);
    for (const sign of signs) expect(sign).toMatch(/^[^\s\p{C}]$/u);
    expect([signs[32], signs[10], signs[65], signs[0xad], signs[255]]).toEqual(["Ġ", "Ċ", "A", "Ń", "ÿ"]);
  });
});

describe("trainBpe", () => {
  it("joins the most frequent neighbours first", () => {
    const { merges } = trainBpe(["low low low lower lowest"], 1 + 256 + 3, SPECIALS);
    expect(merges).toEqual([
      ["l", "o"],
      ["lo", "w"],
      ["Ġ", "low"],
    ]);
  });

  it("takes the first in code order among equals", () => {
    expect(trainBpe(["ba cd"], 1 + 256 + 1, SPECIALS).merges[0]).toEqual(["b", "a"]);
  });

  it("joins from left to right where neighbours overlap", () => {
    expect(trainBpe(["aaaa aaa"], 1 + 256 + 2, SPECIALS).tokens.slice(257)).toEqual(["aa", "aaa"]);
  });

  it("puts the special tokens first, then 256 bytes, then one token a merge", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 20 }), fc.integer({ min: 257, max: 400 }), (texts, size) => {
        const { tokens, merges } = trainBpe(texts, size, SPECIALS);
        expect(tokens.slice(0, 257)).toEqual([...SPECIALS, ...byteSigns()]);
        expect(tokens.slice(257)).toEqual(merges.map(([left, right]) => left + right));
        expect(tokens.length).toBeLessThanOrEqual(size);
      }),
      { numRuns: 50 },
    );
  });

  it("never joins across a special token, a digit, or a space that does not begin a word", () => {
    const { tokens } = trainBpe(["ab<|end|>ab<|end|>ab 12 12 12 x  y x  y"], 300, SPECIALS);
    for (const token of tokens.slice(257)) expect(token).not.toMatch(/ba|\d./);
  });

  it("stops when nothing is left to join", () => {
    expect(trainBpe(["ab"], 1000, SPECIALS).tokens.length).toBe(1 + 256 + 1);
  });
});
