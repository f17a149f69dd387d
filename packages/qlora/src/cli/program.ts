// What the command consists of: one line an action. Each is a value in a file of its own; nothing here knows what they do.
import { Command } from "commander";
import { KNOWN_ROWS } from "../data/row-kinds.ts";
import { addCommand } from "./command.ts";
import { chatCommand } from "./commands/chat.ts";
import { compareCommand } from "./commands/compare.ts";
import { demoCommand } from "./commands/demo.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { generateCommand } from "./commands/generate.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { mergeCommand } from "./commands/merge.ts";
import { planCommand } from "./commands/plan.ts";
import { quantizeCommand } from "./commands/quantize.ts";
import { trainCommand } from "./commands/train.ts";
import type { OutputStream } from "./output.ts";
import { qloraVersion } from "./version.ts";

const AFTER_HELP = `
MODEL is a Hugging Face folder (config.json, safetensors), or a run folder that train has left.
DATA is a .jsonl file, or a folder with train.jsonl and perhaps valid.jsonl. Rows: ${KNOWN_ROWS}.
"help train" has all options of train, and so for each.
Exit codes: 0 done, 1 something broke, 2 something given cannot be used, 130 interrupted (a run is saved first).`;

/** Where the program writes: a process's own streams, or what another gives it. */
export interface ProgramStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** The program, ready to parse. */
export function createProgram({ stdout, stderr }: ProgramStreams = process): Command {
  const program = new Command("qlora")
    .description("Fine-tune language models over frozen 4-bit weights.")
    .usage("<action> <model> …")
    .version(qloraVersion())
    .helpCommand(true)
    .showSuggestionAfterError()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText("after", AFTER_HELP);
  addCommand(program, trainCommand, stdout);
  addCommand(program, generateCommand, stdout);
  addCommand(program, chatCommand, stdout);
  addCommand(program, evalCommand, stdout);
  addCommand(program, inspectCommand, stdout);
  addCommand(program, planCommand, stdout);
  addCommand(program, compareCommand, stdout);
  addCommand(program, mergeCommand, stdout);
  addCommand(program, exportCommand, stdout);
  addCommand(program, quantizeCommand, stdout);
  addCommand(program, demoCommand, stdout);
  return program;
}
