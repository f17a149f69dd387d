import { expect, it } from "vitest";
import { count, duration, oneLine, percent, plural, rate } from "./wording.ts";

it.each([
  [count(0), "0"],
  [count(1902), "1\u202f902"],
  [count(1_234_567), "1\u202f234\u202f567"],
  [percent(0.4617), "46.2 %"],
  [rate(2e-4), "2.0e-4"],
  [rate(0), "0"],
  [duration(42.4), "0:42"],
  [duration(636), "10:36"],
  [duration(7390), "2:03:10"],
  [plural(1, "row"), "1 row"],
  [plural(2, "row"), "2 rows"],
  [oneLine("a\n b", 10), "a b"],
  [oneLine("abcdef", 4), "abc…"],
  [oneLine("abcd", 4), "abcd"],
])("words %s", (found, expected) => {
  expect(found).toBe(expected);
});
