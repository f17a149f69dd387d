// What the command consists of: one line an action. Each is a value in a file of its own, which is loaded when it is asked for, with what it needs; nothing
// here knows what they do.
import { Command } from "commander";
import { KNOWN_ROWS } from "../data/row-kinds.ts";
import type { AddCommand } from "./command.ts";
import type { OutputStream } from "./output.ts";
import { qloraVersion } from "./version.ts";

/** In the order that help lists them. */
const ACTIONS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  train: async () => (await import("./commands/train.ts")).trainCommand,
  generate: async () => (await import("./commands/generate.ts")).generateCommand,
  chat: async () => (await import("./commands/chat.ts")).chatCommand,
  eval: async () => (await import("./commands/eval.ts")).evalCommand,
  inspect: async () => (await import("./commands/inspect.ts")).inspectCommand,
  plan: async () => (await import("./commands/plan.ts")).planCommand,
  compare: async () => (await import("./commands/compare.ts")).compareCommand,
  merge: async () => (await import("./commands/merge.ts")).mergeCommand,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  quantize: async () => (await import("./commands/quantize.ts")).quantizeCommand,
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
};

const AFTER_HELP = `
MODEL is a Hugging Face folder (config.json, safetensors), a GGUF file, org/name on the hub, or a run folder that train has left.
DATA is a .jsonl or .parquet file, a folder with train.jsonl and perhaps valid.jsonl, or org/name on the hub.
Rows: ${KNOWN_ROWS}.
"help train" has all options of train, and so for each.
Exit codes: 0 done, 1 something broke, 2 something given cannot be used, 130 interrupted (a run is saved first).`;

/** Where the program writes: a process's own streams, or what another gives it. */
export interface ProgramStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/**
 * The program, ready to parse.
 * @param words what it is going to parse: of actions, only the one they begin with is loaded. All, where they begin with none, so that help lists them
 */
export async function createProgram(words: readonly string[] = [], { stdout, stderr }: ProgramStreams = process): Promise<Command> {
  const program = new Command("qlora")
    .description("Fine-tune language models over frozen 4-bit weights.")
    .usage("<action> <model> …")
    .version(qloraVersion())
    .helpCommand(true)
    .showSuggestionAfterError()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText("after", AFTER_HELP);
  for (const name of actionsFor(words)) (await ACTIONS[name]!())(program, name, stdout);
  return program;
}

function actionsFor([first = "", second = ""]: readonly string[]): readonly string[] {
  const asked = first === "help" ? second : first;
  if (Object.hasOwn(ACTIONS, asked)) return [asked];
  return /^(-V|--version)$/.test(first) ? [] : Object.keys(ACTIONS);
}
