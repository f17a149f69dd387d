// The tutorial, walked through as a newcomer walks: every command of its page in its order, and the program at its end. It ends with another answer.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allBlocks, root, shellCommands } from "./code-blocks.ts";

const folder = mkdtempSync(join(tmpdir(), "qlora-tutorial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "packages/qlora"), { recursive: true });
cpSync(join(root, "packages/qlora/micro"), join(folder, "packages/qlora/micro"), { recursive: true });
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");

const page = allBlocks.filter((block) => block.page === "docs/pages/tutorial.md");

/** A line of the page without npm, which would set up the clone again each time; what it prints is the text that a terminal shows. */
function type(line: string): string {
  const [, words = ""] = /^npm run qlora -- (.*)$/.exec(line) ?? [];
  const args = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? "");
  const main = join(root, "packages/qlora/dist/cli/main.js");
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args, "--no-json"], { cwd: folder, encoding: "utf8" });
  expect(status, `${line}\n${stderr}`).toBe(0);
  return stdout;
}

describe("the tutorial", () => {
  it("ends with a changed answer", () => {
    const lines = page
      .filter(({ language }) => language === "sh")
      .flatMap(shellCommands)
      .filter((line) => line !== "npm run browser"); // which test/browser does
    const said = lines.map((line) => ({ line, text: type(line) }));
    const answers = said.filter(({ line }) => line.includes(" generate ")).map(({ text }) => text.trim());
    expect(answers).toEqual(["The sky is blue.", "Arr, the sky be blue, matey!"]);
    const shown = page.filter(({ language }) => language === "text").map(({ text }) => text.trim());
    for (const answer of answers) expect(shown).toContain(answer);
    const losses = said.filter(({ line }) => line.includes(" eval ")).map(({ text }) => Number(/loss\s+([\d.]+)/.exec(text)?.[1]));
    expect(losses[0]).toBeGreaterThan(3);
    expect(losses[1]).toBeLessThan(0.1);
  });

  it("has a program that trains, and gives the right answer as a pirate does", () => {
    const programs = page.filter(({ language }) => language === "js");
    expect(programs).toHaveLength(1);
    writeFileSync(join(folder, "my-first.mjs"), programs[0]?.text ?? "");
    const { stdout, stderr, status } = spawnSync(process.execPath, ["my-first.mjs"], { cwd: folder, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("Arr, the sky be blue, matey!");
  });
});
