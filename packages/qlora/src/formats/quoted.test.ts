import { expect, test } from "vitest";
import { quoted } from "./quoted.ts";

test.each([
  ["plain", '"plain"'],
  ['a "b"', '"a \\"b\\""'],
  [undefined, "undefined"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [[1, "a"], '[1,"a"]'],
  ["\u001b[31m\u009b\u202e", '"\\u001b[31m\\u009b\\u202e"'],
])("%j is shown as %s", (value, text) => {
  expect(quoted(value)).toBe(text);
});

test("long values are cut short", () => {
  expect(quoted("x".repeat(1e6)).length).toBeLessThan(130);
  expect(quoted(new Array(1000).fill("xxxx")).length).toBeLessThan(250);
});
