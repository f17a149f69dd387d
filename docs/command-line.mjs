// The page of the command line, from the very tables that the command parses by. docs/pages/command-line.md is not to be edited, and not committed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const program = await (await import("../packages/qlora/dist/cli/program.js")).createProgram();

/** Each action: its name, arguments and options, as the command has them. */
export const actions = program.commands.map((command) => ({
  name: command.name(),
  description: command.description(),
  args: command.registeredArguments.map((argument) => ({
    name: argument.name(),
    required: argument.required,
    description: argument.description,
  })),
  options: command.options.map(({ flags, long, description, required }) => ({ flags, long, description, takesValue: required })),
}));

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
const row = (code, text) => `| \`${code}\` | ${cell(text)} |`;

function actionText({ name, description, args, options }) {
  const usage = ["qlora", name, ...args.map((a) => (a.required ? a.name.toUpperCase() : `[${a.name.toUpperCase()}]`)), "[options]"].join(
    " ",
  );
  return [
    `## ${name}`,
    `${cell(description)}.`,
    ["```text", usage, "```"].join("\n"),
    [
      "| | |",
      "| --- | --- |",
      ...args.map((a) => row(a.name.toUpperCase(), a.description)),
      ...options.map((o) => row(o.flags, o.description)),
    ].join("\n"),
  ].join("\n\n");
}

/** Writes docs/pages/command-line.md. */
export function writeCommandLine() {
  const text = [
    "---\ntitle: Command line\n---",
    "# Command line",
    "This page is made from the tables that the command itself parses by. In a clone, write `npm run qlora --` where it says `qlora`.",
    "Options of `train` can come from a JSON file, by the same names without dashes: `--config FILE`. Sizes in bytes may be written `512MB` or `2GB`.",
    "It ends with 0 when done, 1 when something broke, 2 when something given cannot be used, and 130 when interrupted; a run is saved first.",
    ...actions.map(actionText),
  ].join("\n\n");
  writeFileSync(join(import.meta.dirname, "pages", "command-line.md"), `${text}\n`);
}
