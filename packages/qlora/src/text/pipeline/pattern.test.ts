import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedPattern } from "./bounded-pattern.ts";
import { KNOWN_PATTERNS } from "./known-patterns.ts";
import { patternOf } from "./pattern.ts";
import { StepReader } from "./step.ts";
import { inJavaScript, unknownPattern } from "./unknown-pattern.ts";

const step = new StepReader("tokenizer.json", "pre-tokenizer", { type: "Split" }, unknownPattern);
const tooLong = (characters: number): Error => new FormatError("f", `${characters}`);
const found = (matches: Iterable<{ readonly index: number; readonly 0: string }>): unknown[] =>
  Array.from(matches, (match) => [match.index, match[0]]);
const bounded = (source: string, text: string): unknown[] => found(boundedPattern(source, tooLong).matches(text));
const ours = (source: string, text: string): unknown[] => found(patternOf(step, { Regex: source })!.matches(text));

/** Expressions that can match nothing only as a whole: repeats of what may be nothing are refused. */
const expressions = fc.letrec<{ part: string; some: string; choice: string }>((tie) => ({
  choice: fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((options) => options.join("|")),
  some: fc.oneof(
    fc.constantFrom("a", "b", "[ab]", "[^a]", "\\p{L}", "\\s", ".", "é"),
    fc.tuple(tie("some"), tie("choice")).map(([some, choice]) => `(?:${some}(?:${choice}))`),
    fc.tuple(tie("some"), tie("some")).map((pair) => `(${pair.join("|")})`),
  ),
  part: fc.oneof(
    { maxDepth: 4 },
    tie("some"),
    fc.tuple(tie("some"), fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}?", "{1,}")).map((both) => both.join("")),
    fc.tuple(tie("part"), tie("part")).map((both) => both.join("")),
    fc.tuple(fc.constantFrom("(?=", "(?!"), tie("choice")).map(([open, body]) => `${open}${body})`),
    fc.tuple(fc.constantFrom("(?<=", "(?<!"), fc.constantFrom("a", "[^a]", "\\s", "é", "[b]")).map(([open, set]) => `${open}${set})`),
  ),
}));

describe("a pattern that is not known", () => {
  it("is found where JavaScript finds it", () => {
    const texts = fc.string({ unit: fc.constantFrom("a", "b", " ", "é", "\n", "b"), maxLength: 12 });
    fc.assert(
      fc.property(expressions.choice, fc.array(texts, { minLength: 3, maxLength: 3 }), (source, all) => {
        for (const text of all) expect(bounded(source, text)).toEqual(found(text.matchAll(new RegExp(source, "gu"))));
      }),
      { numRuns: 1500 },
    );
  });

  it("is found where JavaScript finds it, for those that are known too", () => {
    const text = "Hello wORLD's  \n\n 12345 it'S…!?\r\n/ naïve 漢字カナ\u0301 \t\tx  ΑΒγ ﬁ9² 👩‍👩‍👧 'll'LL\u00a0 end ";
    expect(KNOWN_PATTERNS.size).toBe(5);
    for (const [pattern, javascript] of KNOWN_PATTERNS) {
      expect(javascript.source).toBe(inJavaScript(pattern).source);
      const unknown = `(?:${pattern})`;
      expect(KNOWN_PATTERNS.has(unknown)).toBe(false);
      expect(ours(unknown, text)).toEqual(ours(pattern, text));
      expect(ours(pattern, text).length).toBeGreaterThan(20);
    }
  });

  it("takes two halves of a character for one", () => {
    for (const source of ["\\u{1F600}+", "\\uD83D\\uDE00", "[^a]", "(?<=[😀é]).", "😀(?!😀)|\\ud83d"])
      expect(bounded(source, "é😀😀a\ud83dé")).toEqual(found("é😀😀a\ud83dé".matchAll(new RegExp(source, "gu"))));
  });

  it.each([
    ["(a+)+b", 0],
    ["(?:a|a|aa)+b", 0],
    ["(?:x?a){20}a{20}", 1],
    ["a*a*a*a*a*b", 0],
    ["(?=(?:a+)+b)a", 0],
    ["a{1,3}(?=(?:aaa)*(?!a))", 2],
    ["(?:(?:a{1,9}){1,9}b|a)", 20_000],
  ])("%s ends on twenty thousand letters", (source, least) => {
    expect(ours(source, "a".repeat(20_000)).length).toBeGreaterThanOrEqual(least);
  });

  it("is given up with its name where it takes too much all the same", () => {
    const many = Array.from({ length: 42 }, (_, i) => `(?:a{1,${i + 1}}!)`).join("|");
    const search = () => ours(many, "a".repeat(3000));
    expect(search).toThrow(FormatError);
    expect(search).toThrow(
      /^tokenizer\.json: the pre-tokenizer's expression "\(\?:a\{1,1\}!.* takes too long on a text of 3000 characters/s,
    );
  });

  it.each([
    ["(a*)*", /the expression "\(a\*\)\*", which is not read here \(a repeat of what may be nothing/],
    ["(a|b?)+", /repeat of what may be nothing/],
    ["(?:a{999}){999}", /more than 2000 steps/],
    ["(a)\\1", /\\1 in it/],
    ["(?<=ab)c", /a look at more than the character before/],
    ["(".repeat(60) + ")".repeat(60), /groups more than 50 deep/],
    ["[", /is not read here/],
    ["a".repeat(4001), /an expression of 4001 characters/],
  ])("is refused by name if it cannot be read: %.20s", (source, message) => {
    expect(() => ours(source, "a")).toThrow(UnsupportedError);
    expect(() => ours(source, "a")).toThrow(message);
  });
});

it("patterns that are not known ask for their reader", () => {
  const alone = new StepReader("tokenizer.json", "pre-tokenizer", { type: "Split" });
  expect(() => patternOf(alone, { Regex: "a+" })).toThrow(UnsupportedError);
  expect(() => patternOf(alone, { Regex: "a+" })).toThrow(/"a\+" is not one of the known ones\. Give .*loadUnknownPattern/);
});

it("patterns that are known end on long runs of any kind", () => {
  const runs = [" ", "\n", "A", "a", "漢", "\u0301", "7", "'", "/", "\r\n ", "A\u0301", " '"];
  for (const pattern of KNOWN_PATTERNS.keys())
    for (const run of runs)
      for (const end of ["", "x", "!", " "]) expect(ours(pattern, run.repeat(100_000) + end).length).toBeGreaterThan(0);
});
