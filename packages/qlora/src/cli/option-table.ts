// Options as data: one row says the flag, the help, what it may be and what it is by default. The command line, the config file, the messages and the
// help all come from it, so they cannot disagree.
import type { Command } from "commander";
import { type ZodType, z } from "zod";
import { UsageError } from "../error.ts";
import { didYouMean } from "../nearest-name.ts";

/** One option. `T` is what it becomes. */
export interface OptionRow<T> {
  /** As commander reads it: `--lr <rate>`, `--no-double-quant`. */
  readonly flags: string;
  readonly help: string;
  /** What to give, to end a message with: "a number above 0". */
  readonly expects: string;
  /** From a word of the command line to what the schema sees. */
  readonly fromText: (text: string) => unknown;
  readonly schema: ZodType<T>;
  /** The words it may be, where they are few: the help lists them. */
  readonly choices?: readonly string[];
  /** It may be given more than once; the schema sees all that was given. */
  readonly repeats?: true;
}

/** Options by their names in code, which are commander's: `blockSize` for `--block-size`. */
export type OptionTable = Readonly<Record<string, OptionRow<unknown>>>;
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: T[K] extends OptionRow<infer V> ? V : never };

export interface ReadOptions<T extends OptionTable> {
  readonly values: OptionValues<T>;
  /** Those that were given, by flag or config file; the others have their defaults. */
  readonly given: ReadonlySet<keyof T & string>;
}

type Described = { readonly help: string; readonly expects: string };

/** An option with a number. */
export const numberOption = <T>(flags: string, schema: ZodType<T>, described: Described): OptionRow<T> => ({
  flags,
  schema,
  ...described,
  fromText: (text) => (text.trim() === "" ? text : Number(text)),
});

/** An option with a word, or a path. */
export const textOption = <T>(flags: string, schema: ZodType<T>, described: Described): OptionRow<T> => ({
  flags,
  schema,
  ...described,
  fromText: (text) => text,
});

/** An option with one of some words. */
export const choiceOption = <const C extends readonly [string, ...string[]]>(
  flags: string,
  choices: C,
  standard: C[number],
  help: string,
): OptionRow<C[number]> => ({
  flags,
  schema: z.enum(choices).default(standard) as ZodType<C[number]>,
  help,
  choices,
  expects: choices.join(", "),
  fromText: (text) => text,
});

/** An option that is there or not; `--no-…` is on unless it is there. */
export const switchOption = <T>(flags: string, schema: ZodType<T>, help: string): OptionRow<T> => ({
  flags,
  schema,
  help,
  expects: "true or false",
  fromText: (text) => text,
});

/** The name a user knows, for the config file: `block-size`, `double-quant`. */
export const optionName = ({ flags }: OptionRow<unknown>): string => flagOf(flags).replace(/^--(no-)?/, "");

const flagOf = (flags: string): string => /--[\w-]+/.exec(flags)![0];

/** Adds the options of a table to a command. */
export function addOptions(command: Command, table: OptionTable): void {
  const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
  for (const row of Object.values(table)) {
    if (row.repeats) command.option(row.flags, helpOf(row), collect);
    else command.option(row.flags, helpOf(row));
  }
}

function helpOf({ help: text, schema, flags, choices }: OptionRow<unknown>): string {
  const help = choices ? `${text}: ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}` : text;
  const standard = schema.safeParse(undefined);
  const shown = standard.success && standard.data !== undefined && !flags.startsWith("--no-");
  return shown && typeof standard.data !== "boolean" && String(standard.data) !== "" ? `${help} (default: ${String(standard.data)})` : help;
}

/**
 * The values of a table's options: what a flag gave, else the config file, else the default.
 * @param config by the names users know
 * @throws UsageError naming the option, its value, and what to give
 */
export function readOptions<T extends OptionTable>(
  command: Command,
  table: T,
  config: Readonly<Record<string, unknown>> = {},
): ReadOptions<T> {
  const given = new Set<string>();
  const values: Record<string, unknown> = {};
  const flags: Readonly<Record<string, unknown>> = command.opts();
  for (const [key, row] of Object.entries(table)) {
    const fromFlag = command.getOptionValueSource(key) === "cli";
    const name = optionName(row);
    const fromConfig = !fromFlag && Object.hasOwn(config, name);
    if (fromFlag || fromConfig) given.add(key);
    const shown = fromFlag ? flags[key] : fromConfig ? config[name] : undefined;
    values[key] = check(row, typeof shown === "string" ? row.fromText(shown) : shown, shown);
  }
  return { values: values as OptionValues<T>, given };
}

function check<T>(row: OptionRow<T>, raw: unknown, shown: unknown): T {
  const result = row.schema.safeParse(raw);
  if (result.success) return result.data;
  const choices = row.expects.split(", ");
  const near = choices.length > 1 && typeof shown === "string" ? didYouMean(shown, choices) : "";
  const value = typeof shown === "string" ? `"${shown}"` : JSON.stringify(shown);
  throw new UsageError(flagOf(row.flags), `is ${value}. Give ${row.expects}.${near}`, { value: shown });
}
