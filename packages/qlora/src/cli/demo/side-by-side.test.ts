import fc from "fast-check";
import { expect, it } from "vitest";
import { sideBySide, wrap } from "./side-by-side.ts";

it("puts texts beside each other and goes on below where they are too long", () => {
  expect(sideBySide([["q", "one two three", "x"]], [4, 0, 0], 30)).toEqual(["  q     one two     x", "        three"]);
});

it("wraps at words and cuts only words that are too long", () => {
  expect(wrap("arr the sky be blue", 8)).toEqual(["arr the", "sky be", "blue"]);
  expect(wrap("abcdefgh ij", 3)).toEqual(["abc", "def", "gh", "ij"]);
  expect(wrap("", 5)).toEqual([""]);
});

it("keeps within its columns and loses no letter", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 40, max: 120 }),
      (texts, columns) => {
        const widths = texts.map(() => 0);
        const lines = sideBySide([texts], widths, columns);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        const letters = (s: string): string => [...s.replace(/\s/gu, "")].sort().join("");
        expect(letters(lines.join(""))).toBe(letters(texts.join("")));
      },
    ),
  );
});
