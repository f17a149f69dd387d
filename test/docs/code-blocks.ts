// The code blocks of what is written: README files and docs/pages, each with where it stands.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface CodeBlock {
  /** `docs/pages/tutorial.md line 12` */
  readonly where: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** Every page that a reader may copy from. What docs/command-line.mjs writes is not among them: it holds no code. */
export const pages: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map((name) => join(root, name)),
  ...readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "README.md")),
  ...readdirSync(join(root, "docs/pages"))
    .filter((name) => name.endsWith(".md") && name !== "command-line.md")
    .map((name) => join(root, "docs/pages", name)),
];

/** The fenced blocks of a page, in their order. */
function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { language: string; from: number; lines: string[] } | undefined;
  for (const [i, line] of readFileSync(page, "utf8").split("\n").entries()) {
    const fence = /^\s*```\s*(\S*)( excerpt)?/.exec(line);
    if (!fence) open?.lines.push(line);
    else if (!open) open = { language: fence[2] ? "excerpt" : (fence[1] ?? ""), from: i + 1, lines: [] };
    else {
      const path = relative(root, page);
      blocks.push({ where: `${path} line ${open.from}`, page: path, language: open.language, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    }
  }
  if (open) throw new Error(`${page} line ${open.from}: the block does not end.`);
  return blocks;
}

export const allBlocks: readonly CodeBlock[] = pages.flatMap(codeBlocks);

/** The commands of a block of a shell, without their comments. */
export const shellCommands = ({ text }: CodeBlock): string[] =>
  text
    .split("\n")
    .map((line) => line.replace(/\s+# .*$/, "").trim())
    .filter(Boolean);
