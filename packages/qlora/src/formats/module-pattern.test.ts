import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PatternMatcher } from "./module-pattern.ts";

const full = (pattern: string, text: string) => new PatternMatcher("f").fullMatch(pattern, text);

test.each([
  [".*\\.(q_proj|down_proj)$", "model.layers.0.self_attn.q_proj", true],
  [".*\\.(q_proj|down_proj)$", "model.layers.0.self_attn.k_proj", false],
  ["q_proj", "self_attn.q_proj", false],
  ["^(?!.*vision).*(q|v)_proj", "model.layers.0.q_proj", true],
  ["^(?!.*vision).*(q|v)_proj", "model.vision.0.q_proj", false],
  ["model\\.layers\\.(?:[0-9]|1[0-5])\\.mlp\\..+", "model.layers.15.mlp.up_proj", true],
  ["model\\.layers\\.(?:[0-9]|1[0-5])\\.mlp\\..+", "model.layers.16.mlp.up_proj", false],
  ["(?P<name>a|b)+c{2,3}[^x-z\\d]\\b", "abacc_", true],
  ["a{2}", "aa", true],
  ["a{2}", "aaa", false],
  ["a{,2}", "aa", true],
  ["x{y}", "x{y}", true],
  ["[]a]+[a-]", "]a-", true],
  ["(?:)*", "", true],
  ["(a|){5}b", "aab", true],
  ["a.*?b", "axxb", true],
  ["\\Aa\\Z", "a", true],
  ["", "", true],
])("%s on %s gives what Python's re.fullmatch gives: %s", (pattern, text, expected) => {
  expect(full(pattern, text)).toBe(expected);
});

test("keys of patterns match a whole name or what follows a dot, as PEFT's (.*\\.)?(key)$", () => {
  const matcher = new PatternMatcher("f");
  expect(matcher.matchesEnd("down_proj", "model.layers.0.mlp.down_proj")).toBe(true);
  expect(matcher.matchesEnd("proj", "model.layers.0.mlp.down_proj")).toBe(false);
  expect(matcher.matchesEnd("a|b", "x.b")).toBe(true);
  expect(matcher.matchesEnd("layers\\.0\\.self_attn\\.q_proj", "model.layers.0.self_attn.q_proj")).toBe(true);
  expect(matcher.matchesEnd("model", "model")).toBe(true);
});

describe("against JavaScript's own matcher", () => {
  const atom = fc.oneof(
    fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\."),
    fc.constantFrom("(a|b)", "(?:ab|)", "(?=a)", "(?!b)", "^", "$", "\\b"),
  );
  const part = fc
    .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "*?", "+?"))
    .map(([a, r]) => (/^(\^|\$|\\b|\(\?[=!])/.test(a) ? a : a + r));
  const pattern = fc.array(fc.oneof(part, fc.constant("|")), { maxLength: 6 }).map((parts) => parts.join(""));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });

  test("whole names match alike", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(full(p, t)).toBe(new RegExp(`^(?:${p})$`).test(t));
      }),
      { numRuns: 5000 },
    );
  });

  test("ends of names match alike", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        fc.pre(!p.includes("^"));
        expect(new PatternMatcher("f").matchesEnd(p, t)).toBe(new RegExp(`^(?:.*\\.)?(?:${p})$`).test(t));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("refuses", () => {
  test.each([
    ["a look behind", "(?<=a)b"],
    ["a back-reference", "(a)\\1"],
    ["flags", "(?i)a"],
    ["a possessive repeat", "a*+"],
    ["an atomic group", "(?>a)"],
    ["a class it does not know", "\\p"],
    ["an open group", "(a"],
    ["a group closed twice", "a)"],
    ["an open set", "[a"],
    ["a range the wrong way round", "[z-a]"],
    ["a repeat of nothing", "*a"],
    ["a backslash at the end", "a\\"],
    ["groups nested without end", "(".repeat(60)],
    ["a text too long for a pattern", "a".repeat(5000)],
  ])("%s", (_, pattern) => {
    expect(() => full(pattern, "a")).toThrow(FormatError);
    expect(() => full(pattern, "a")).toThrow(/^f: the pattern "/);
  });

  test.each([
    ["(a*)*b", "a".repeat(60)],
    ["(a|a)*b", "a".repeat(60)],
    ["(.*.*.*.*.*.*.*)x", "a".repeat(200)],
    ["((a{0,99999}){0,99999}){0,99999}b", "a".repeat(60)],
    [`${"(".repeat(49)}a*${")*".repeat(49)}b`, "a".repeat(60)],
  ])("what takes time without end: %s", { timeout: 60_000 }, (pattern, text) => {
    expect(() => full(pattern, text)).toThrow(/takes too long/);
  });
});

test("an adapter with a pattern for every module of a 65B is within the budget", () => {
  const modules = Array.from({ length: 80 }, (_, i) =>
    ["q", "k", "v", "o", "gate", "up", "down"].map((p) => `model.layers.${i}.self_attn.${p}_proj`),
  ).flat();
  const matcher = new PatternMatcher("f");
  for (const name of modules) expect(modules.find((pattern) => matcher.matchesEnd(pattern, name))).toBe(name);
});
