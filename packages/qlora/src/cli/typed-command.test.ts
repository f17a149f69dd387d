import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { shellWord, shortestPath, typedCommand } from "./typed-command.ts";

it.each([
  [{}, "qlora"],
  [{ npm_lifecycle_event: "npx" }, "npx qlora"],
  [{ npm_lifecycle_event: "qlora" }, "npm run qlora --"],
])("names the command as it was typed (%j)", (environment, expected) => {
  expect(typedCommand(environment)).toBe(expected);
});

it.each([
  ["runs/2026-11-24-1", "runs/2026-11-24-1"],
  ["my run", "'my run'"],
  ["it's", "'it'\\''s'"],
  ["$HOME", "'$HOME'"],
])("makes one word of %j", (path, expected) => {
  expect(shellWord(path)).toBe(expected);
});

it("shows a path from here where that is shorter", () => {
  const here = resolve("/", "home", "me");
  expect(shortestPath(join(here, "data"), here)).toBe("data");
  expect(shortestPath(here, here)).toBe(".");
  const elsewhere = resolve("/", "d", "x");
  expect(shortestPath(elsewhere, here)).toBe(elsewhere);
});
