// A model's `config.json` as plain numbers. Reads the words of transformers 4 (`rope_theta`, `rope_scaling`, `torch_dtype`) and of 5
// (`rope_parameters`, `dtype`) into the same thing, and refuses by name what would change the numbers and is not done here.
import { UsageError } from "../error.ts";
import type { Family } from "../families/family.ts";
import { llama } from "../families/llama.ts";
import { type Folder, listing } from "../formats/folder.ts";
import { ggufOf, openGgufOf, severalGgufs } from "../formats/gguf/gguf-of-folder.ts";
import { readJson } from "../formats/read-json.ts";
import { CONFIG_FILE, configOfFamily, GENERATION_FILE, type ParseOptions } from "./config-of-family.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import type { T5Config } from "./t5-config.ts";

/** A model of any architecture. Frozen. */
export type ModelConfig = DecoderConfig | T5Config;

const MAX_CONFIG_BYTES = 4_000_000;

/**
 * Reads `config.json`, and the end tokens of `generation_config.json` where there is one; or the metadata of the folder's GGUF file.
 * @throws UsageError if there is no config.json, or the model is of a kind not supported
 * @throws FormatError if a value is missing or cannot be
 */
export async function readModelConfig(folder: Folder, file = CONFIG_FILE): Promise<ModelConfig> {
  const gguf = ggufOf(folder);
  if (gguf !== undefined && file === CONFIG_FILE) return readGgufConfig(folder, gguf);
  if (!folder.files.includes(file)) {
    const what = severalGgufs(folder) ?? `has no ${file}, so it is not a model's folder. ${listing(folder)}.`;
    throw new UsageError(folder.name, what, { files: folder.files });
  }
  const json = await readJson(folder, file, MAX_CONFIG_BYTES);
  const generation = folder.files.includes(GENERATION_FILE) ? await readJson(folder, GENERATION_FILE, MAX_CONFIG_BYTES) : {};
  return parse(json, { file: `${folder.name}/${file}`, generation });
}

async function readGgufConfig(folder: Folder, gguf: string): Promise<ModelConfig> {
  const { config, files } = await openGgufOf(folder, gguf);
  await files.close();
  return parse(config, { file: folder.name });
}

/** Llamas, which pages have, are read by what is here already; the other families come when one is met. */
async function parse(json: unknown, options: ParseOptions): Promise<ModelConfig> {
  if (isOf(llama, json)) return configOfFamily(llama, json, options);
  const { parseModelConfig } = await import("./parse-model-config.ts");
  return parseModelConfig(json, options);
}

const isOf = ({ modelTypes }: Family, json: unknown): boolean =>
  modelTypes.some((type) => type === (json as { model_type?: unknown } | null)?.model_type);
