// What is written can be copied: TypeScript compiles, commands have the options they are given, JSON is JSON, and links lead somewhere.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { allBlocks, pages, root, shellCommands } from "./code-blocks.ts";

const folder = mkdtempSync(join(tmpdir(), "qlora-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");

/** An action as the command's own help lists it. */
interface Action {
  readonly name: string;
  readonly arguments: readonly { readonly name: string; readonly required: boolean }[];
  readonly options: readonly { readonly long: string; readonly takesValue: boolean }[];
}

/** Asked of the built command, as a page's reader has it. */
const actions: readonly Action[] = JSON.parse(
  spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `import { createProgram } from ${JSON.stringify(join(root, "packages/qlora/dist/cli/program.js"))};
       console.log(JSON.stringify((await createProgram()).commands.map((c) => ({
         name: c.name(),
         arguments: c.registeredArguments.map((a) => ({ name: a.name(), required: a.required })),
         options: c.options.map((o) => ({ long: o.long, takesValue: o.required })),
       }))));`,
    ],
    { encoding: "utf8" },
  ).stdout,
);
const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

/** Words of a line of a shell; quotes hold words together. */
const wordsOf = (line: string): string[] => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? "");

/** Programs of others that pages name. */
const OTHERS = new Set(["llama-cli", "python", "pip"]);

/** What is wrong with a command; undefined if nothing is. */
function wrongWith(words: readonly string[]): string | undefined {
  const [program = "", ...rest] = words;
  if (program === "qlora") return wrongWithAction(rest);
  if (OTHERS.has(program)) return undefined;
  if (program !== "npm") return `${program} is not known`;
  const [verb = "", script = "", ...more] = rest;
  if (verb === "install" || (verb === "test" && "test" in scripts)) return undefined;
  if (verb !== "run" || !(script in scripts)) return `npm ${verb} ${script} is no script of package.json`;
  return script === "qlora" ? wrongWithAction(more[0] === "--" ? more.slice(1) : more) : undefined;
}

function wrongWithAction([name = "", ...words]: readonly string[]): string | undefined {
  if (name === "help") return undefined;
  const action = actions.find((a) => a.name === name);
  if (!action) return `qlora has no action ${name}`;
  let given = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!word.startsWith("--")) {
      given++;
      continue;
    }
    const option = action.options.find(({ long }) => long === word);
    if (!option && word !== "--help") return `qlora ${name} has no option ${word}`;
    if (option?.takesValue && (words[++i] ?? "--").startsWith("--")) return `${word} is given no value`;
  }
  const needed = action.arguments.filter(({ required }) => required).length;
  if (given < needed || given > action.arguments.length)
    return `qlora ${name} takes ${needed} to ${action.arguments.length} arguments, not ${given}`;
  return undefined;
}

const of = (...languages: string[]) => allBlocks.filter(({ language }) => languages.includes(language));

describe("code blocks", () => {
  it("are in languages that are checked here, or plain text", () => {
    const known = ["ts", "excerpt", "js", "sh", "json", "text", "math", "python", ""];
    expect(allBlocks.filter(({ language }) => !known.includes(language)).map(({ where, language }) => `${where}: ${language}`)).toEqual([]);
  });

  it("of TypeScript compile, each by itself, as strictly as the library", () => {
    mkdirSync(join(folder, "ts"));
    const names = new Map<string, string>();
    for (const [i, { text, where }] of of("ts").entries()) {
      names.set(`ts/block-${i}.ts`, where);
      writeFileSync(join(folder, "ts", `block-${i}.ts`), `${text}export {};\n`);
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const compilerOptions = { composite: false, declaration: false, noEmit: true, rewriteRelativeImportExtensions: false };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["ts"] }),
    );
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      {
        encoding: "utf8",
        cwd: folder,
      },
    );
    const found = stdout.replaceAll(/ts\/block-\d+\.ts/g, (file) => names.get(file) ?? file);
    expect({ found, status }).toEqual({ found: "", status: 0 });
    expect(names.size).toBeGreaterThan(5);
  });

  const programs = of("js").filter(({ page }) => page !== "docs/pages/tutorial.md"); // which is walked through in tutorial.test.ts
  it.each(programs.map((block) => [block.where, block.text]))("of JavaScript run, and print what their `// →` lines say: %s", (_, text) => {
    writeFileSync(join(folder, "try.mjs"), text);
    const { stdout, stderr, status } = spawnSync(process.execPath, ["try.mjs"], { encoding: "utf8", cwd: folder });
    expect(status, stderr).toBe(0);
    expect(stdout.trimEnd().split("\n")).toEqual([...text.matchAll(/^\/\/ → (.*)$/gm)].map((m) => m[1]));
  });

  it("that are excerpts are in the sources of their package, but for their first and last line", () => {
    for (const { page, text, where } of of("excerpt")) {
      const inner = text.trim().split("\n").slice(1, -1).join("\n");
      const sources = readdirSync(join(root, dirname(page), "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".ts"),
      );
      const found = sources.some((name) => readFileSync(join(root, dirname(page), "src", name), "utf8").includes(inner));
      expect(found, where).toBe(true);
    }
  });

  it("of a shell name actions, options and scripts that there are", () => {
    const blocks = [...of("sh"), ...of("").filter(({ text }) => /^(npm|qlora) /.test(text))];
    const wrong = blocks.flatMap((block) =>
      shellCommands(block).flatMap((line) =>
        line.split(/\s{2,}(?=qlora )/).map((one) => ({ where: block.where, line: one, why: wrongWith(wordsOf(one)) })),
      ),
    );
    expect(wrong.filter(({ why }) => why !== undefined)).toEqual([]);
    expect(wrong.length).toBeGreaterThan(30);
  });

  it("of JSON are JSON, line by line or as a whole", () => {
    for (const { text, where } of of("json")) {
      const parses = (json: string): boolean => {
        try {
          return typeof JSON.parse(json) === "object";
        } catch {
          return false;
        }
      };
      expect(parses(text) || text.trim().split("\n").every(parses), where).toBe(true);
    }
  });
});

describe("an option that does not exist", () => {
  it.each([
    ["qlora train MODEL DATA --epoch 3", "has no option --epoch"],
    ["qlora train MODEL DATA --epochs --out x", "is given no value"],
    ["qlora fly MODEL", "has no action fly"],
    ["npm run nothing", "is no script"],
    ["qlora generate --prompt x", "takes 1 to 1 arguments, not 0"],
  ])("is seen: %s", (line, why) => expect(wrongWith(wordsOf(line))).toContain(why));
});

describe("links in what is written", () => {
  it.each(pages.map((page) => [relative(root, page), page]))("of %s lead to files that are there", (_, page) => {
    const prose = readFileSync(page, "utf8").replaceAll(/```[\s\S]*?```/g, "");
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((m) => (m[1] ?? "").replace(/#.*/, ""))
      .filter((to) => to && !/^[a-z]+:/.test(to));
    const missing = links.filter((to) => !existsSync(join(dirname(page), to)) && !to.endsWith("command-line.md"));
    expect(missing).toEqual([]);
  });
});

it("the reference names every event that the command prints", () => {
  const cli = join(root, "packages/qlora/src/cli");
  const sources = readdirSync(cli, { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const names = new Set(
    sources.flatMap((name) => [...readFileSync(join(cli, name), "utf8").matchAll(/\.event\(\s*"(\w+)"/g)].map((m) => m[1])),
  );
  const reference = readFileSync(join(root, "docs/pages/json-events.md"), "utf8");
  expect(names.size).toBeGreaterThan(20);
  expect([...names].filter((name) => !reference.includes(`\`${name}\``))).toEqual([]);
});
