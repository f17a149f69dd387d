import { parseBytes } from "../plan/byte-size.ts";
import type { OptionRow } from "./option-table.ts";

/** An option with a number of bytes. */
export const bytesOption = <T>(flags: string, schema: OptionRow<T>["schema"], help: string): OptionRow<T> => ({
  flags,
  schema,
  help,
  expects: "a number of bytes, such as 2000000000, 2GB or 1.5GiB",
  fromText: parseBytes,
});
