import { expect, test } from "vitest";
import { didYouMean, nearestName } from "./nearest-name.ts";

const options = ["rank", "--rank", "--alpha", "--learning-rate", "--lr"];

test.each([
  ["--rnak", "--rank"],
  ["--Rank", "--rank"],
  ["--learning_rate", "--learning-rate"],
  ["--l", "--lr"],
  ["rnak", "rank"],
])("a slip finds its name: %s → %s", (given, name) => {
  expect(nearestName(given, options)).toBe(name);
  expect(didYouMean(given, options)).toBe(` Did you mean "${name}"?`);
});

test.each(["--quantization-format", "x", "", "y".repeat(1e6)])("a name unlike any finds none", (given) => {
  expect(nearestName(given, options)).toBeUndefined();
  expect(didYouMean(given, [])).toBe("");
});
