// An action of the command as a value, and how it is put on the program. What every action has in common is here: its own options and `--json` are read,
// the output is opened, and a failure is told to programs as an event too.
import type { Command } from "commander";
import { HubError, UsageError } from "../error.ts";
import { readConfigFile } from "./config-file.ts";
import { exitCodeOf } from "./failure.ts";
import { addOptions, type OptionTable, type OptionValues, readOptions } from "./option-table.ts";
import { OUTPUT_OPTIONS } from "./options.ts";
import { Output, type OutputStream } from "./output.ts";

/** What an action is called with. */
export interface Invocation<T extends OptionTable> {
  /** The arguments, in order; undefined where an optional one is left out. */
  readonly args: readonly (string | undefined)[];
  readonly options: OptionValues<T>;
  /** Options that were given and do not have their defaults. */
  readonly given: ReadonlySet<keyof T & string>;
  readonly output: Output;
}

/** An action; its name is the program's. */
export interface CommandDefinition<T extends OptionTable> {
  /** As commander reads them: `<model> [data]`. */
  readonly args: string;
  /** What an argument may be, where it is not what it is for the others. */
  readonly argumentHelp?: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly options: T;
  /** Whether options may come from a file, by `--config`. */
  readonly takesConfig?: boolean;
  readonly run: (invocation: Invocation<T>) => Promise<void>;
}

/** What an argument may be, for the help of every action that has it. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  model:
    "a Hugging Face folder (config.json, safetensors, tokenizer.json), a GGUF file, a run folder that train has left, or org/name on the hub",
  data: "a .jsonl or .parquet file, a folder with train.jsonl and perhaps valid.jsonl, or org/name of a data set on the hub",
};

/** An action that can be put on a program under a name. It prints to the stream. */
export type AddCommand = (program: Command, name: string, stream: OutputStream) => void;

/** Makes an action of its definition. */
export const defineCommand =
  <T extends OptionTable>(definition: CommandDefinition<T>): AddCommand =>
  (program, name, stream) =>
    addCommand(program, name, definition, stream);

function addCommand<T extends OptionTable>(program: Command, name: string, definition: CommandDefinition<T>, stream: OutputStream): void {
  const { args, argumentHelp = {}, summary, options, takesConfig = false } = definition;
  const command = program.command(name).description(summary);
  for (const arg of args.split(" ").filter(Boolean)) command.argument(arg, { ...ARGUMENTS, ...argumentHelp }[arg.slice(1, -1)]);
  addOptions(command, options);
  if (takesConfig) command.option("--config <file>", "read options from a JSON file, by the same names; flags win");
  addOptions(command, OUTPUT_OPTIONS);
  command.action(async (..._given: unknown[]) => {
    const output = new Output({ json: readOptions(command, OUTPUT_OPTIONS).values.json, stream });
    try {
      const file = takesConfig ? (command.opts<{ config?: string }>().config ?? undefined) : undefined;
      const config = file === undefined ? {} : await readConfigFile(file, options);
      const { values, given } = readOptions(command, options, config);
      await definition.run({ args: command.processedArgs as (string | undefined)[], options: values, given, output });
    } catch (error) {
      output.clearStatus();
      if (error instanceof Error)
        output.event("error", { name: error.name, message: error.message, ...fieldsOf(error), exitCode: exitCodeOf(error) });
      throw error;
    }
  });
}

const fieldsOf = (error: Error): object => (error instanceof UsageError || error instanceof HubError ? { fields: error.fields } : {});
