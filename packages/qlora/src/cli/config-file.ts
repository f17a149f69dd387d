// `--config FILE.json`: options by the names they have on the command line, without the dashes. An unknown one is an error, never passed over.
import { readFile } from "node:fs/promises";
import { UsageError } from "../error.ts";
import { didYouMean } from "../nearest-name.ts";
import { type OptionTable, optionName } from "./option-table.ts";

/**
 * Reads a config file for a table of options.
 * @throws UsageError if it cannot be read, is not a JSON object, or has a key that is no option
 */
export async function readConfigFile(path: string, table: OptionTable): Promise<Readonly<Record<string, unknown>>> {
  const json = await readObject(path);
  const names = Object.values(table).map(optionName);
  for (const key of Object.keys(json)) {
    if (!names.includes(key))
      throw new UsageError(path, `"${key}" is not an option.${didYouMean(key, names)} Options: ${names.join(", ")}.`, { key });
  }
  return json;
}

async function readObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(path, `the config file cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { path }, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(path, `the config file is not JSON (${(cause as Error).message}).`, { path }, { cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Readonly<Record<string, unknown>>;
  throw new UsageError(path, 'the config file is not an object. Write options by name, such as { "lr": 2e-4 }.', { path });
}
