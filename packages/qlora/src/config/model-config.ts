// A model's `config.json` as plain numbers. Reads the words of transformers 4 (`rope_theta`, `rope_scaling`, `torch_dtype`) and of 5
// (`rope_parameters`, `dtype`) into the same thing, and refuses by name what would change the numbers and is not done here.
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { FAMILIES } from "../families/families.ts";
import type { Family } from "../families/family.ts";
import { type Folder, listing } from "../formats/folder.ts";
import { ggufOf, openGgufOf, severalGgufs } from "../formats/gguf/gguf-of-folder.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson, readJson } from "../formats/read-json.ts";
import { GenerationSchema } from "./common-schema.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import type { T5Config } from "./t5-config.ts";

/** A model of any architecture. Frozen. */
export type ModelConfig = DecoderConfig | T5Config;

export const CONFIG_FILE = "config.json";
const GENERATION_FILE = "generation_config.json";
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
  return parseModelConfig(json, { file: `${folder.name}/${file}`, generation });
}

async function readGgufConfig(folder: Folder, gguf: string): Promise<ModelConfig> {
  const { config, files } = await openGgufOf(folder, gguf);
  await files.close();
  return parseModelConfig(config, { file: folder.name });
}

export interface ParseOptions {
  /** Name for errors. */
  readonly file?: string;
  /** Content of generation_config.json. */
  readonly generation?: unknown;
}

/**
 * The same from parsed JSON.
 * @throws UsageError if the model is of a kind not supported
 * @throws FormatError if a value is missing or cannot be
 */
export function parseModelConfig(json: unknown, { file = CONFIG_FILE, generation = {} }: ParseOptions = {}): ModelConfig {
  const config = familyOf(file, json).read(file, json);
  const { eos_token_id } = checkJson(`${file.slice(0, file.lastIndexOf("/") + 1)}${GENERATION_FILE}`, GenerationSchema, generation);
  const whole = { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...[eos_token_id ?? []].flat()])] };
  checkSizes(file, whole);
  return frozen(whole);
}

function familyOf(file: string, json: unknown): Family {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const family = FAMILIES.find(({ modelTypes }) => modelTypes.some((one) => one === type));
  if (family) return family;
  const supported = `Supported: ${FAMILIES.map(({ modelTypes, known }) => `${modelTypes.join(", ")} (${known})`).join(", ")}`;
  if (type === undefined) throw new FormatError(file, `"model_type" is missing. ${supported}.`);
  throw new UsageError(file, `model_type ${quoted(type)} is not supported. ${supported}.`, { key: "model_type", value: type });
}

function checkSizes(file: string, c: ModelConfig): void {
  const fail = (what: string): never => {
    throw new FormatError(file, what);
  };
  if (!Number.isInteger(c.headDim)) fail(`hidden_size ${c.hiddenSize} cannot be divided among ${c.heads} heads.`);
  if (c.kind === "decoder" && c.heads % c.kvHeads !== 0)
    fail(`num_attention_heads ${c.heads} is not a multiple of num_key_value_heads ${c.kvHeads}.`);
  for (const id of [...c.eosTokenIds, ...(c.bosTokenId === undefined ? [] : [c.bosTokenId])]) {
    if (id >= c.vocabSize) fail(`token ${id} lies outside the vocabulary of ${c.vocabSize}.`);
  }
}

/** The value and all in it, frozen. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) frozen(part);
  return Object.freeze(value);
}
