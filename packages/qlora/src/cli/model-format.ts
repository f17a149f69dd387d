// How a model's linear weights will be held: as the options say; or as they are in its files, where those are 4-bit already.
import type { ModelConfig } from "../config/model-config.ts";
import { UsageError } from "../error.ts";
import { formatName } from "../formats/bitsandbytes/format-name.ts";
import { storedFormat } from "../formats/bitsandbytes/stored-format.ts";
import type { Folder } from "../formats/folder.ts";
import type { FormatOptions } from "./options.ts";

/**
 * The options, with those of the file in the place of what was not given.
 * @param given options that were given; one that says otherwise than the file is the user's mistake
 * @throws UsageError for such a one
 */
export async function modelFormat(
  { folder, config }: { readonly folder: Folder; readonly config: ModelConfig },
  { format, blockSize, doubleQuant }: FormatOptions,
  given: ReadonlySet<string>,
): Promise<FormatOptions> {
  const stored = await storedFormat(folder, config);
  if (!stored) return { format, blockSize, doubleQuant };
  const check = (key: string, flag: string, asked: unknown, own: unknown): void => {
    if (!given.has(key) || asked === own) return;
    const what = `is given, but the weights of ${folder.name} are ${formatName(stored)} already and are used as they are. Leave it out, or give the 16-bit model.`;
    throw new UsageError(flag, what, { asked, stored: own });
  };
  if (format !== "none") check("format", `--format ${format}`, format, stored.name);
  check("blockSize", `--block-size ${blockSize}`, blockSize, stored.blockSize);
  check("doubleQuant", "--no-double-quant", doubleQuant, stored.doubleQuant);
  return { format: stored.name as FormatOptions["format"], blockSize: stored.blockSize, doubleQuant: stored.doubleQuant };
}
